/**
 * Whom a connection is counted for. One household or server has a whole /64 of IPv6 addresses to call from, so all of
 * them are one; an IPv4 address is itself, also where the system writes it as `::ffff:192.0.2.1`.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
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
