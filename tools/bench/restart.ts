import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { JournalWriter } from "../../ingest/journal/journal.ts";
import { openJournalWriter } from "../../ingest/journal/writer.ts";
import { SILENT } from "../../model/log.ts";
import type { NewMessage } from "../../model/message.ts";
import { HOUR_MS } from "../../model/time.ts";
import { type City, startCity, until } from "../../test/helpers/city.ts";

/**
 * The service starts with a journal full of messages that no consumer has seen: how soon it takes new ones, and how soon
 * the waiting ones are stored, booked and past the rules.
 */
type RestartRow = {
  readonly messages: number;
  readonly journalMiB: number;
  /** From the start of the process to the first 200 of /readyz. */
  readonly readySeconds: number;
  /** From there until the first PUBACK-like promise: a POST answered 202. */
  readonly firstKeptMs: number;
  /** Until everything is stored and booked, counted from the start of the process. */
  readonly drainedSeconds: number;
  /** Of GET /livez every 50 ms until then: how busy the core thread is with catching up. */
  readonly answerP50Ms: number;
  readonly answerP99Ms: number;
  readonly stored: number;
};

const SENSORS = 1_000;
const DISTRICT = "bench";

export async function benchRestart(messages: number): Promise<RestartRow> {
  let city = await startCity();
  let writer: JournalWriter | undefined;
  try {
    const gateway = await city.api("/gateways", { name: "bench", districts: [DISTRICT] });
    await city.stop();
    writer = await fillJournal(join(city.dataDir, "journal"), messages);
    const startedAt = performance.now();
    city = await city.restart();
    await until(
      async () => (await city.call("/readyz")).status,
      (status) => status === 200,
    );
    const readyAt = performance.now();
    await postOne(city, gateway.password);
    const keptAt = performance.now();
    const answers: number[] = [];
    const books = await until(
      async () => {
        answers.push(await timed(() => city.call("/livez").then((response) => response.text())));
        return city.api("/ledger");
      },
      ({ inJournal }) => inJournal === 0,
      300_000,
    );
    answers.sort((a, b) => a - b);
    return {
      messages,
      journalMiB: Math.round(writer.state().bytes / 1024 / 1024),
      readySeconds: seconds(readyAt - startedAt),
      firstKeptMs: Math.round(keptAt - readyAt),
      drainedSeconds: seconds(performance.now() - startedAt),
      answerP50Ms: Math.round(answers[Math.floor(answers.length / 2)]!),
      answerP99Ms: Math.round(answers[Math.floor(answers.length * 0.99)]!),
      stored: books.stored,
    };
  } finally {
    await city.remove();
    await writer?.close();
  }
}

/** One reading a message, the sensors in turn. The writer stays open: the journal looks as after a kill, with no mark of a clean close. */
async function fillJournal(dir: string, messages: number): Promise<JournalWriter> {
  const { writer } = await openJournalWriter({ dir, freeBytesMin: 0 }, { now: Date.now, log: SILENT });
  const from = Date.now() - HOUR_MS;
  for (let count = 0; count < messages; ) {
    const some = Math.min(5_000, messages - count);
    await new Promise<void>((resolve, reject) => {
      let left = some;
      for (let index = 0; index < some; index += 1)
        writer.append(messageOf(count + index, from), (error) => {
          if (error) reject(error);
          left -= 1;
          if (left === 0) resolve();
        });
    });
    count += some;
  }
  return writer;
}

function messageOf(number: number, from: number): NewMessage {
  const measuredAt = from + Math.floor(number / SENSORS) * 1_000;
  const text = `{"measuredAt":${measuredAt},"pm25":12.4,"no2":31.5,"o3":48.2,"temperature":17.3,"battery":87}`;
  return {
    receivedAt: measuredAt + 100,
    source: { via: "mqtt", role: "gateway", name: "bench" },
    topic: `city/${DISTRICT}/air/restart-${number % SENSORS}`,
    payload: Buffer.from(text),
  };
}

async function postOne(city: City, token: string): Promise<void> {
  const body = { sensorId: "restart-new", kind: "air", district: DISTRICT, measuredAt: Date.now(), pm25: 10 };
  const response = await fetch(`${city.http}/api/v1/readings`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

const seconds = (ms: number) => Math.round(ms / 10) / 100;
