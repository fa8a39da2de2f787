import { BlockList, isIP } from "node:net";

/**
 * Whom a connection is counted for. One household or server has a whole /64 of IPv6 addresses to call from, so all of
 * them are one; an IPv4 address is itself, also where the system writes it as `::ffff:192.0.2.1`.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(":")) return plain;
  const [before = "", after] = plain.replace(/%.*$/, "").split("::", 2);
  const head = groupsOf(before);
  const tail = groupsOf(after ?? "");
  const groups = [...head, ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0"), ...tail];
  const first = groups.slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ""));
  return first.every((group) => group === "0") ? plain : `${first.join(":")}::/64`;
}

/** An IPv4 address at the end stands for two groups. */
const groupsOf = (text: string) =>
  text === "" ? [] : text.split(":").flatMap((group) => (group.includes(".") ? ["x", "x"] : [group]));

/** IPv4 in IPv6 clothing is IPv4. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/** Whether an address is one of these, or of ranges such as `10.0.0.0/24`. */
export function addressMatcher(list: readonly string[]): (address: string) => boolean {
  const block = new BlockList();
  for (const one of list) {
    const [address = "", bits] = one.split("/", 2);
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) block.addAddress(address, family);
    else block.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const plain = plainAddress(address);
    return block.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  };
}
