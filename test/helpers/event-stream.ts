import { EventSourceParserStream } from "eventsource-parser/stream";
import type { City } from "./city.ts";

/** One Server-Sent Event; `data` is parsed. */
export type ServerEvent = {
  readonly event: string;
  readonly id: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: events of several shapes; each test asserts its own
  readonly data: any;
};

export type EventStream = {
  /** The next event of that name, as soon as it comes; rejects when the stream ends before. */
  next(event: string): Promise<ServerEvent>;
  close(): Promise<void>;
};

/** Opens `GET /api/v1/events` as a browser would. */
export async function openEvents(
  city: Pick<City, "call">,
  options: { lastEventId?: number; query?: string } = {},
): Promise<EventStream> {
  const { lastEventId, query = "" } = options;
  const headers: Record<string, string> = lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) };
  const leaving = new AbortController();
  const response = await city.call(`/api/v1/events${query}`, { headers, signal: leaving.signal });
  if (response.status !== 200) throw new Error(`/events: ${response.status} ${await response.text()}`);
  const events = parse(response.body!);

  async function next(wanted: string): Promise<ServerEvent> {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error(`the stream ended before an event "${wanted}"`);
      if (value.event === wanted) return value;
    }
  }

  return {
    next,
    async close() {
      leaving.abort();
      await events.return(undefined).catch(() => {});
    },
  };
}

async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, undefined> {
  const events = body.pipeThrough(new TextDecoderStream() as never).pipeThrough(new EventSourceParserStream());
  for await (const { event = "message", id, data } of events)
    yield { event, id: id === undefined ? undefined : Number(id), data: JSON.parse(data) };
  return undefined;
}
