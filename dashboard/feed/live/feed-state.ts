import { computed, effect, signal } from "@preact/signals";
import type { ReadingView } from "../../../model/reading.ts";
import { type Connection, openEventStream } from "../../live/event-stream.ts";
import { query } from "../../shell/router.ts";
import { forgetUser } from "../../shell/session.ts";
import { createFeedBuffer, type Rates, ROWS_MAX, type Row } from "./feed-buffer.ts";
import { fitsFeed, readFeedFilter } from "./feed-filter.ts";

/** How often rows are added: calm enough to be read. */
const TURN_MS = 500;

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
  // The address changes with every part of the page: only what concerns the readings is looked at.
  const filter = computed(() => readFeedFilter(query.value));
  const isStill = computed(() => paused.value || held.value);
  const buffer = createFeedBuffer(TURN_MS, Math.random);

  const stream = openEventStream("/api/v1/events?readings=true", {
    onEvent(event) {
      if (event.type === "readings") buffer.take(JSON.parse(event.data) as ReadingView[], filter.peek());
    },
    onConnection: (state) => {
      connection.value = state;
    },
    onOpen: () => {},
    onSignedOut: () => forgetUser(true),
  });

  const timer = setInterval(() => {
    const fresh = buffer.turn();
    rates.value = buffer.rates();
    if (fresh.length === 0) return;
    const target = isStill.peek() ? waiting : rows;
    target.value = [...fresh, ...target.peek()].slice(0, ROWS_MAX);
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
    ...{ rows, rates, connection, paused, held, waiting, filter },
    close(): void {
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
      letGo();
      narrow();
      stream.close();
    },
  };
}

export type FollowedReadings = ReturnType<typeof followReadings>;
