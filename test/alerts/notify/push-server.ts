import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { PushKeys } from "../../../model/push.ts";

/** What a browser keeps to itself, and what it gives a site. */
export function aBrowser() {
  const own = createECDH("prime256v1");
  own.generateKeys();
  const auth = randomBytes(16);
  const keys: PushKeys = { p256dh: own.getPublicKey("base64url"), auth: auth.toString("base64url") };

  /** As RFC 8291 has it for the receiver, written apart from the code that sends. Throws for what is not for this browser. */
  function open(body: Buffer): string {
    const [salt, idLength] = [body.subarray(0, 16), body[20]!];
    const theirs = body.subarray(21, 21 + idLength);
    const sealed = body.subarray(21 + idLength);
    const shared = own.computeSecret(theirs);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), own.getPublicKey(), theirs]);
    const secret = Buffer.from(hkdfSync("sha256", shared, auth, info, 32));
    const derive = (name: string, length: number) =>
      Buffer.from(hkdfSync("sha256", secret, salt, `Content-Encoding: ${name}\0`, length));
    const decipher = createDecipheriv("aes-128-gcm", derive("aes128gcm", 16), derive("nonce", 12));
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    if (plain.at(-1) !== 2) throw new Error("the last record ends with 2");
    return plain.subarray(0, -1).toString("utf8");
  }

  return { keys, open };
}

export type Pushed = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** A push service (RFC 8030) of our own: it keeps what arrives, and answers as it is told. */
export async function startPushServer() {
  const pushed: Pushed[] = [];
  let answer: (path: string) => number = () => 201;
  const server = createServer(async (request, reply) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    pushed.push({ path: request.url!, headers: request.headers, body: Buffer.concat(parts) });
    reply.writeHead(answer(request.url!)).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    pushed,
    answerWith: (next: (path: string) => number) => {
      answer = next;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The claims of `authorization: vapid t=…, k=…`, once its signature fits the key it names. */
export function claimsOf(header: string): { claims: Record<string, unknown>; key: string } {
  const [, token = "", key = ""] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(header) ?? [];
  const [head, claims, signature] = token.split(".") as [string, string, string];
  const point = Buffer.from(key, "base64url");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  const fits = verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  if (!fits) throw new Error("the signature does not fit");
  return { claims: JSON.parse(Buffer.from(claims, "base64url").toString()), key };
}
