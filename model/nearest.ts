/** Characters of a name that is compared. */
export const NAME_CHARS_MAX = 64;
/** Names that are all shown where none is near. */
const FEW = 6;
const SHOWN = 3;

const row = new Uint8Array(NAME_CHARS_MAX + 1);

/** Levenshtein distance, in one row. Both texts have at most `NAME_CHARS_MAX` characters. */
export function editDistance(a: string, b: string): number {
  for (let j = 0; j <= b.length; j++) row[j] = j;
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const swap = diagonal + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      diagonal = row[j]!;
      row[j] = Math.min(swap, diagonal + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}

/**
 * The names that are most like one that nobody has: few letters apart, or one within the other; the nearest first. Where
 * none is near and there are only a few, all of them.
 */
export function nearestNames(name: string, among: Iterable<string>): readonly string[] {
  const distanceMax = Math.max(2, Math.floor(name.length / 3));
  const all: string[] = [];
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const other of among) {
    if (all.length <= FEW) all.push(other);
    const distance = name.length > NAME_CHARS_MAX || other.length > NAME_CHARS_MAX ? Infinity : apart(name, other);
    if (distance <= distanceMax) near.push({ name: other, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  if (near.length === 0) return all.length <= FEW ? all.sort() : [];
  return near.slice(0, SHOWN).map((one) => one.name);
}

function apart(a: string, b: string): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  // "center" for "city-center": as near as a name can be that has other letters.
  if (short.length >= 3 && long.includes(short)) return 1;
  // Among tens of thousands most are told apart by this.
  if (long.length - short.length > Math.max(2, Math.floor(a.length / 3))) return Infinity;
  return editDistance(a, b);
}
