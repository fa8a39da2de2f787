import { computed, effect, signal } from "@preact/signals";
import type { PageOf } from "../../contract/common.ts";
import type { QuarantineItemView } from "../../contract/ledger.ts";
import { isId } from "../../model/ids.ts";
import { REASON_NAMES, type Reason } from "../../model/rejection.ts";
import { request } from "../api/client.ts";
import { query } from "../shell/router.ts";

export type QuarantineFilter = {
  readonly reason: Reason | undefined;
  readonly sensor: string;
  readonly state: "waiting" | "redriven" | "dismissed" | undefined;
};

const PAGE = 50;

function readQuarantineFilter(asked: URLSearchParams): QuarantineFilter {
  const state = asked.get("state");
  return {
    reason: REASON_NAMES.find((one) => one === asked.get("reason")),
    sensor: asked.get("sensor") ?? "",
    state: state === "waiting" || state === "redriven" || state === "dismissed" ? state : undefined,
  };
}

/** The list as the address asks for it, a page at a time, and which of it is selected. */
export function followQuarantine() {
  const filter = computed(() => readQuarantineFilter(query.value));
  const items = signal<readonly QuarantineItemView[] | undefined>(undefined);
  const next = signal<string | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const selected = signal<ReadonlySet<number>>(new Set());
  let asking = new AbortController();

  function addressOf(cursor: string | undefined): string {
    const { reason, sensor, state } = filter.peek();
    const parts = new URLSearchParams({ limit: String(PAGE) });
    if (reason) parts.set("reason", reason);
    if (isId(sensor)) parts.set("sensor", sensor);
    if (state) parts.set("state", state);
    if (cursor !== undefined) parts.set("cursor", cursor);
    return `/quarantine?${parts}`;
  }

  async function load(more: boolean): Promise<void> {
    asking.abort();
    asking = new AbortController();
    const { signal: over } = asking;
    try {
      const page = await request<PageOf<QuarantineItemView>>(
        "GET",
        addressOf(more ? next.peek() : undefined),
        undefined,
        over,
      );
      items.value = more ? [...(items.peek() ?? []), ...page.items] : page.items;
      next.value = page.next;
      problem.value = undefined;
    } catch (error) {
      if (!over.aborted) problem.value = error;
    }
  }

  // `computed` makes a new object for each address: what counts is what it says.
  const wanted = computed(() => JSON.stringify(filter.value));
  const stop = effect(() => {
    wanted.value;
    selected.value = new Set();
    void load(false);
  });

  return {
    filter,
    items,
    next,
    problem,
    selected,
    reload: () => load(false),
    more: () => load(true),
    close(): void {
      stop();
      asking.abort();
    },
  };
}

export type FollowedQuarantine = ReturnType<typeof followQuarantine>;

/** What was sent again came back as another item, or did not. */
export const mayDecide = ({ reason, redrivenAt }: QuarantineItemView): boolean =>
  reason === "conflict" && redrivenAt === undefined;

/** Personal data was not kept, and what was sent again is on its way already. What was dismissed may be sent after all. */
export const mayRedrive = ({ reason, redrivenAt, decision }: QuarantineItemView): boolean =>
  reason !== "personal_data" && (redrivenAt === undefined || decision === "dismiss");

const LOOKED_THROUGH = 1_000;
const ASK_EVERY_MS = 300;
const PATIENCE_MS = 10_000;

/** Waits, within reason, until nothing is in the journal that was not opened. */
export async function untilOpened(signal: AbortSignal): Promise<void> {
  for (let left = PATIENCE_MS; left > 0; left -= ASK_EVERY_MS) {
    const { inJournal } = await request<{ inJournal: number }>("GET", "/ledger", undefined, signal);
    if (inJournal === 0) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

/**
 * Of these messages, those that came back: a message that is sent again keeps its topic and when it was first received,
 * and gets a new place. By the id of the old one, the id of the newest new one.
 */
export async function findRequarantined(
  sent: readonly QuarantineItemView[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const address = `/quarantine?limit=${LOOKED_THROUGH}`;
  const { items } = await request<PageOf<QuarantineItemView>>("GET", address, undefined, signal);
  const found = new Map<number, number>();
  for (const { id, topic, receivedAt, source, index } of sent) {
    const again = items.find(
      (one) =>
        one.id > id &&
        one.topic === topic &&
        one.receivedAt === receivedAt &&
        (one.source === source || one.source.startsWith(`${source}~edited:`)) &&
        // Of an array only the wrong ones are sent again, each as a message of its own.
        (one.index === 0 || one.index === index),
    );
    if (again) found.set(id, again.id);
  }
  return found;
}
