import { DAY_MS } from "../../../model/time.ts";
import type { User } from "../../shell/session.ts";
import type { CrewList } from "./crew-list.ts";

/** The last list, for when there is no connection. Nothing that lets anyone in: that is in a cookie no script can read. */
export type Kept = {
  readonly user: User;
  readonly list: CrewList;
  readonly etag?: string;
  /** By this device's clock (epoch milliseconds), and how far the service's clock is ahead of it. */
  readonly savedAt: number;
  readonly aheadMs: number;
};

/** `shell/session.ts` deletes it by this name when the session ends. */
export const KEPT_LIST = "crew-list";
/** As long as a session lasts at most: after that the service would not show it either. */
const AGE_MAX_MS = 7 * DAY_MS;
const ENTRY = "/crew-list";

/** Browsers keep nothing for pages without https (localhost aside); such a page does not open offline either. */
const store = () => globalThis.caches?.open(KEPT_LIST);

export async function readKept(): Promise<Kept | undefined> {
  try {
    const found = await (await store())?.match(ENTRY);
    const kept = found && ((await found.json()) as Kept);
    return kept && Math.abs(Date.now() - kept.savedAt) < AGE_MAX_MS ? kept : undefined;
  } catch {
    return undefined;
  }
}

export async function keep(kept: Kept): Promise<void> {
  try {
    await (await store())?.put(ENTRY, Response.json(kept));
  } catch {
    // No room: the list on the screen is as good as before.
  }
}
