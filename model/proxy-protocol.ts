import { isIP, type Socket } from "node:net";

/**
 * The PROXY protocol, versions 1 and 2 (haproxy.org, doc/proxy-protocol.txt): a balancer that passes bytes on says first
 * whose they are. `address` is undefined where the balancer speaks for itself (LOCAL, UNKNOWN); `length` is what to take
 * off. "more": not all of it has come; "bad": it is none.
 */
type ProxyHeader = { readonly address: string | undefined; readonly length: number };

const SIGNATURE_1 = Buffer.from("PROXY ");
const SIGNATURE_2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n");
const LINE_BYTES_MAX = 107;
const HEAD_BYTES = 16;
/** Addresses, and what balancers add behind them: names, TLS versions, marks of a cloud. */
const REST_BYTES_MAX = 2_048;

export function parseProxyHeader(bytes: Buffer): ProxyHeader | "more" | "bad" {
  if (isBeginOf(bytes, SIGNATURE_2)) return bytes.length < HEAD_BYTES ? "more" : parseBinary(bytes);
  if (!isBeginOf(bytes, SIGNATURE_1)) return "bad";
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf("\r\n");
  if (end < 0) return bytes.length < LINE_BYTES_MAX ? "more" : "bad";
  return parseLine(bytes.toString("latin1", 0, end), end + 2);
}

/** So far as there is anything of either. */
function isBeginOf(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function parseLine(line: string, length: number): ProxyHeader | "bad" {
  const [, family, from = "", to = "", fromPort = "", toPort = "", ...more] = line.split(" ");
  if (family === "UNKNOWN") return { address: undefined, length };
  const version = family === "TCP4" ? 4 : family === "TCP6" ? 6 : undefined;
  const isWhole = version !== undefined && more.length === 0 && isPort(fromPort) && isPort(toPort);
  return isWhole && isIP(from) === version && isIP(to) === version ? { address: from, length } : "bad";
}

const isPort = (text: string) => /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;

function parseBinary(bytes: Buffer): ProxyHeader | "more" | "bad" {
  const [command, family] = [bytes[12]!, bytes[13]!];
  const rest = bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 0xf) > 1 || rest > REST_BYTES_MAX) return "bad";
  const length = HEAD_BYTES + rest;
  if (bytes.length < length) return "more";
  if ((command & 0xf) === 0) return { address: undefined, length };
  switch (family) {
    case 0x11: // TCP over IPv4
      return rest < 12 ? "bad" : { address: bytes.subarray(16, 20).join("."), length };
    case 0x21: // TCP over IPv6
      return rest < 36 ? "bad" : { address: ipv6Of(bytes.subarray(16, 32)), length };
    case 0x00:
    case 0x31: // a socket of the balancer's own machine
      return { address: undefined, length };
    default:
      return "bad";
  }
}

function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/**
 * Reads the header that a connection begins with and puts back what follows it. `found` is called once, with undefined
 * where it is none; never where the connection ends before: how long to wait is up to the caller.
 */
export function readProxyHeader(socket: Socket, found: (header: ProxyHeader | undefined) => void): void {
  let read = Buffer.alloc(0);
  const end = (header?: ProxyHeader) => {
    socket.off("readable", look);
    found(header);
  };
  function look(): void {
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) {
      read = Buffer.concat([read, chunk]);
      const header = parseProxyHeader(read);
      if (header === "more") continue;
      if (header === "bad") return end();
      if (read.length > header.length) socket.unshift(read.subarray(header.length));
      return end(header);
    }
  }
  socket.on("readable", look);
}
