/** Ids of districts, sensors, gateways and users: they end up in topics, tags and file names, so the alphabet is small. */
export const ID_PATTERN = /^[a-z0-9][a-z0-9-]{0,63}$/;

export function isId(text: string): boolean {
  return ID_PATTERN.test(text);
}

/** Somebody else has this id, name or secret already. The message says which, for people. */
export class RecordConflict extends Error {
  override readonly name = "RecordConflict";
}
