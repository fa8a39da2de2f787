import { setTimeout as wait } from "node:timers/promises";
import type { ReadingView } from "../contract/reading.ts";
import { ServiceError } from "./service-client.ts";

export type LiveFeedOptions = {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
  /** The line broke: readings until it is back are missed. */
  onLost(why: string): void;
};

const RETRY_MS = 1_000;

/**
 * Readings as they come (`GET /events?readings=true`), until the signal aborts. Comes back after a broken line; throws
 * `ServiceError` where the service refuses.
 */
export async function* liveReadings(options: LiveFeedOptions): AsyncGenerator<readonly ReadingView[]> {
  const { signal } = options;
  for (let first = true; !signal.aborted; first = false) {
    try {
      yield* oneStream(options);
      if (!signal.aborted) options.onLost("the service has ended the stream");
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ServiceError || first) throw error;
      options.onLost((error as Error).message);
    }
    await wait(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}

async function* oneStream({ url, token, signal }: LiveFeedOptions): AsyncGenerator<readonly ReadingView[]> {
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const answer = await fetch(`${url}/api/v1/events?readings=true`, { headers, signal });
  if (answer.status >= 400 && answer.status < 500)
    throw new ServiceError(`the service refuses the stream: HTTP ${answer.status}`, { status: answer.status });
  if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
    const frames = (rest + decoder.decode(part, { stream: true })).split("\n\n");
    rest = frames.pop()!;
    for (const frame of frames) {
      const readings = readingsIn(frame);
      if (readings) yield readings;
    }
  }
}

/** The service writes an event's name first and its data in one line. Undefined for anything but readings. */
function readingsIn(frame: string): readonly ReadingView[] | undefined {
  if (!frame.startsWith("event: readings\n")) return undefined;
  const at = frame.indexOf("\ndata: ");
  return at < 0 ? undefined : (JSON.parse(frame.slice(at + 7)) as ReadingView[]);
}
