import { computed, effect, signal } from "@preact/signals";
import type { ReadingView } from "../../../model/reading.ts";
import { type PageOf, request } from "../../api/client.ts";
import { type Connection, openEventStream } from "../../live/event-stream.ts";
import { query } from "../../shell/router.ts";
import { forgetUser } from "../../shell/session.ts";
import { byReceipt, createFeedBuffer, type Rates, ROWS_MAX, type Row } from "./feed-buffer.ts";
import { fitsFeed, readFeedFilter } from "./feed-filter.ts";

/** How often rows are added: calm enough to be read. */
const TURN_MS = 500;
/** The stream left readings out because this page was too slow: the newest ones are asked for, at most so often. */
const REFILL_EVERY_MS = 5_000;

/**
 * The live readings, on a stream of their own that is open while this part of the page is. While it is paused, or held
 * because someone is in the list, new rows wait beside it, so that nothing moves under a pointer.
 */
export function followReadings() {
  const rows = signal<readonly Row[]>([]);
  const rates = signal<Rates>({ all: 0, fitting: 0, shown: 0 });
  const connection = signal<Connection>("connecting");
  const paused = signal(false);
  const held = signal(false);
  const waiting = signal<readonly Row[]>([]);
  /** Readings that were left out and are not in the list either. */
  const missing = signal(0);
  // The address changes with every part of the page: only what concerns the readings is looked at.
  const filter = computed(() => readFeedFilter(query.value));
  const isStill = computed(() => paused.value || held.value);
  const buffer = createFeedBuffer(TURN_MS, Math.random);

  const stream = openEventStream("/api/v1/events?readings=true", {
    onEvent(event) {
      if (event.type === "readings") buffer.take(JSON.parse(event.data) as ReadingView[], filter.peek());
      else if (event.type === "missed") miss((JSON.parse(event.data) as { readings: number }).readings);
    },
    onConnection: (state) => {
      connection.value = state;
    },
    onOpen: () => {},
    onSignedOut: () => forgetUser(true),
  });

  let missed = 0;
  let refill: ReturnType<typeof setTimeout> | undefined;
  const over = new AbortController();

  function miss(readings: number): void {
    missed += readings;
    buffer.miss(readings, filter.peek());
    refill ??= setTimeout(askForNewest, 0);
  }

  /** The newest reading of every sensor, in place of those that were left out. Says nothing where that is all of them. */
  async function askForNewest(): Promise<void> {
    const count = missed;
    missed = 0;
    const { kind, district } = filter.peek();
    const narrowed = new URLSearchParams({ limit: "1000", ...(kind && { kind }), ...(district && { district }) });
    const page = await request<PageOf<ReadingView>>(
      "GET",
      `/readings/latest?${narrowed}`,
      undefined,
      over.signal,
    ).catch(
      () => undefined, // the list goes on without them, and says so
    );
    if (over.signal.aborted) return;
    const isWhole = page !== undefined && page.next === undefined;
    missing.value = isWhole ? 0 : count;
    show(buffer.fill(page?.items ?? [], filter.peek(), [...waiting.peek(), ...rows.peek()]), true);
    refill = setTimeout(() => {
      refill = undefined;
      missing.value = 0;
      if (missed > 0) miss(0);
    }, REFILL_EVERY_MS);
  }

  /** Puts rows where rows go now. What was asked for may be older than what is there. */
  function show(fresh: readonly Row[], isMixed = false): void {
    if (fresh.length === 0) return;
    const target = isStill.peek() ? waiting : rows;
    const all = [...fresh, ...target.peek()];
    target.value = (isMixed ? all.sort(byReceipt) : all).slice(0, ROWS_MAX);
  }

  const timer = setInterval(() => {
    const fresh = buffer.turn();
    rates.value = buffer.rates();
    show(fresh);
  }, TURN_MS);

  const letGo = effect(() => {
    if (isStill.value || waiting.value.length === 0) return;
    rows.value = [...waiting.peek(), ...rows.peek()].slice(0, ROWS_MAX);
    waiting.value = [];
  });
  const narrow = effect(() => {
    const wanted = filter.value;
    rows.value = rows.peek().filter(({ reading }) => fitsFeed(reading, wanted));
    waiting.value = waiting.peek().filter(({ reading }) => fitsFeed(reading, wanted));
  });
  const look = () => (document.visibilityState === "visible" ? stream.resume() : stream.pause());
  document.addEventListener("visibilitychange", look);

  return {
    ...{ rows, rates, connection, paused, held, waiting, missing, filter },
    close(): void {
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
      clearTimeout(refill);
      over.abort();
      letGo();
      narrow();
      stream.close();
    },
  };
}

export type FollowedReadings = ReturnType<typeof followReadings>;
