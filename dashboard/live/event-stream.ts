import { createParser, type EventSourceMessage } from "eventsource-parser";

/** `lost`: nothing comes, what is shown may be old; it goes on trying. */
export type Connection = "connecting" | "live" | "lost";

export type StreamPorts = {
  readonly onEvent: (event: EventSourceMessage) => void;
  readonly onConnection: (connection: Connection) => void;
  /** The stream is open. `resumed`: everything since the last event comes by itself; otherwise load anew. */
  readonly onOpen: (resumed: boolean) => void;
  readonly onSignedOut: () => void;
};

/** The service says something every 15 s. A line that is silent for longer than this is dead, whatever TCP thinks. */
const SILENT_MS = 40_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 8_000;

/**
 * `GET /events`, for as long as the page lives. By `fetch` and not by EventSource, which hides the heartbeats and the
 * status of a refusal: a half-open line would look alive for minutes. `lastEventId`: begin after this one. Answers how to
 * pause and resume. `more`: headers of every request.
 */
export function openEventStream(
  path: string,
  ports: StreamPorts,
  lastEventId?: string,
  more: Readonly<Record<string, string>> = {},
) {
  let failures = 0;
  let running: AbortController | undefined;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  function start(): void {
    clearTimeout(waiting);
    if (running) return;
    const own = new AbortController();
    running = own;
    listen(own)
      .catch(() => undefined)
      .then((retryAfterS) => {
        if (running !== own) return;
        running = undefined;
        if (retryAfterS === "signed out") return ports.onSignedOut();
        ports.onConnection("lost");
        const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures) * (0.75 + Math.random() / 2);
        failures += 1;
        waiting = setTimeout(start, retryAfterS ? retryAfterS * 1_000 : pauseMs);
      });
  }

  /** Until the line breaks. Answers how long the service wants to be left alone, if it says so. */
  async function listen(own: AbortController): Promise<number | "signed out" | undefined> {
    const resumed = lastEventId !== undefined;
    const headers: Record<string, string> = { ...more, accept: "text/event-stream" };
    if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
    const answer = await fetch(path, { headers, credentials: "same-origin", cache: "no-store", signal: own.signal });
    if (answer.status === 401) return "signed out";
    if (!answer.ok || !answer.body) return Number(answer.headers.get("retry-after")) || undefined;
    failures = 0;
    ports.onConnection("live");
    ports.onOpen(resumed);
    await readAll(answer.body, own);
    return undefined;
  }

  async function readAll(body: ReadableStream<Uint8Array>, own: AbortController): Promise<void> {
    const parser = createParser({
      onEvent(event) {
        if (event.id !== undefined) lastEventId = event.id;
        ports.onEvent(event);
      },
    });
    const decoder = new TextDecoder();
    let silence: ReturnType<typeof setTimeout> | undefined;
    for (const reader = body.getReader(); ; ) {
      clearTimeout(silence);
      silence = setTimeout(() => own.abort(), SILENT_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  function pause(): void {
    clearTimeout(waiting);
    running?.abort();
    running = undefined;
  }

  function lose(): void {
    pause();
    ports.onConnection("lost");
  }

  addEventListener("offline", lose);
  addEventListener("online", start);
  start();
  return {
    pause,
    resume: start,
    close(): void {
      removeEventListener("offline", lose);
      removeEventListener("online", start);
      pause();
    },
  };
}
