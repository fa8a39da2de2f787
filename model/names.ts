import { createHash } from "node:crypto";

const ID_CHARS_MAX = 64;
const HASH_CHARS = 8;

/** Letters that are no letter with a mark to Unicode. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};

/** As people vary a name: case, blanks, how words are joined. */
const tidy = (name: string) =>
  name
    .normalize("NFC")
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, "-");

const hashOf = (name: string) => createHash("sha256").update(tidy(name)).digest("hex").slice(0, HASH_CHARS);

function withHash(id: string, name: string): string {
  const head = id.slice(0, ID_CHARS_MAX - HASH_CHARS - 1).replace(/-+$/, "");
  return head === "" ? `n-${hashOf(name)}` : `${head}-${hashOf(name)}`;
}

/**
 * An id (`ID_PATTERN`) of a name as people write it, always the same one. Where letters were lost on the way (a mark, a
 * script of its own, what is beyond 64 characters) it ends with a part of the name's hash, so that "Überlingen" is not
 * "Uberlingen", and 北京 is something.
 */
export function toId(name: string): string {
  const lower = name.normalize("NFC").toLowerCase();
  const plain = lower
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter]!)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "");
  const id = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  const isWhole = plain === lower && !/[^\p{ASCII}]/u.test(plain) && id.length <= ID_CHARS_MAX && id !== "";
  return isWhole ? id : withHash(id, name);
}

/** Names that are told at most. */
const CHANGED_MAX = 1_000;

export type Names = ReturnType<typeof createNames>;

/**
 * The ids of all names of a recording: two names never come to one id, and which names are not told from their ids is
 * known. Names that differ in case, blanks, hyphens or underscores only are the same one.
 */
export function createNames() {
  const ids = new Map<string, string>();
  const owners = new Map<string, string>();
  const changed = new Map<string, string>();

  function idOf(name: string): string {
    const known = ids.get(name);
    if (known !== undefined) return known;
    const plain = toId(name);
    const owner = owners.get(plain);
    const own = tidy(name);
    const id = owner === undefined || owner === own ? plain : withHash(plain, name);
    owners.set(id, own);
    ids.set(name, id);
    if ((owner !== undefined && owner !== own) || (plain.endsWith(hashOf(name)) && changed.size < CHANGED_MAX))
      changed.set(name, id);
    return id;
  }

  return {
    idOf,
    /** Name and id, of those whose id has a hash. */
    changed: changed as ReadonlyMap<string, string>,
  };
}
