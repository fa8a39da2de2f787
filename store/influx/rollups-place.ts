import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import { DAY_MS } from "../../model/time.ts";
import { type RollupsFound, StoreError } from "../reading-store.ts";
import type { Requests } from "./client.ts";
import type { Queries } from "./influxql.ts";
import { dayOfMark } from "./lines.ts";
import { type Place, PROVEN_FOR_MS } from "./place.ts";
import { LINES_PER_REQUEST_MAX, PATIENCE, ROLLUP_FIELDS, type RollupsClients, rollupLines } from "./rollups.ts";

/** What is remembered of the rollups' place between starts. */
export type RollupsMemory = {
  /** Whether they are in a place of their own: from then on they are looked for there, and nowhere else. */
  isApart(): boolean;
  setApart(): void;
  /** That place came back empty: all that there are readings for is to be computed again. */
  lost(): void;
};

export type RollupsPlace = RollupsClients & {
  /** What is there may be gone, or another copy of it. */
  doubt(): void;
  /** As last found; undefined before anybody looked. Costs nothing. */
  found(): RollupsFound | undefined;
  /** The same, asking the server. Throws `StoreError`. */
  look(): Promise<RollupsFound | undefined>;
};

/**
 * Rollups live in a bucket (or database) of their own, `<readings>_rollups`, as soon as there is one where a probe was
 * written, read back and removed, and which keeps what it has at least as long as that of the readings. Until then they
 * live with the readings; every ten minutes it is looked at again. What is among the readings moves there before the next
 * rollup is written: copied where it is missing, compared, and only then removed. Meanwhile it is read where it was.
 */
export function createRollupsPlace(parts: {
  readonly raw: Requests;
  readonly own: Requests;
  /** Proves that place; throws `StoreError`. */
  prove(): Promise<Place>;
  /** How long (ms) the readings' place and this one keep what they have; undefined is for ever. */
  keeps(): { readonly raw: number | undefined; readonly own: number | undefined };
  readonly queries: Queries;
  readonly installation: string;
  readonly memory: RollupsMemory;
  readonly isClosed: () => boolean;
  readonly now: () => number;
  readonly log: Log;
}): RollupsPlace {
  const { raw, own, queries, installation, memory, isClosed, now, log } = parts;
  let shared: { readonly why: string; readonly until: number } | undefined;
  let broken: string | undefined;
  let moving: Promise<void> | undefined;
  /** Looked at after each start, and when it was away: the database may have been restored to what it was before. */
  let isMoved = false;

  /** Whether the place may be used. Throws `StoreError` where they are in it and it cannot be reached. */
  async function isUsable(): Promise<boolean> {
    if (shared && now() < shared.until) return false;
    const why = await parts.prove().then(objection, (error: StoreError) => {
      if (error.kind === "unavailable") throw error;
      if (!memory.isApart()) return error.message;
      broken = error.message;
      throw error;
    });
    broken = undefined;
    if (why === undefined || memory.isApart()) shared = undefined;
    else {
      if (!shared) log.warn({ reason: why }, "rollups are kept with the readings, and removed with them");
      shared = { why, until: now() + PROVEN_FOR_MS };
    }
    return shared === undefined;
  }

  function objection({ noRemoval }: Place): string | undefined {
    if (noRemoval) return noRemoval.message;
    const keeps = parts.keeps();
    const isShorter = (keeps.own ?? Number.POSITIVE_INFINITY) < (keeps.raw ?? Number.POSITIVE_INFINITY);
    return isShorter ? "it keeps what it has for a shorter time than that of the readings" : undefined;
  }

  async function reading(): Promise<Requests> {
    if (memory.isApart()) return own;
    if (!(await isUsable()) || (await hasRollups(raw))) return raw;
    memory.setApart();
    return own;
  }

  async function writing(): Promise<Requests> {
    if (!(await isUsable())) return raw;
    if (!isMoved) {
      moving ??= move().finally(() => {
        moving = undefined;
      });
      await moving;
    }
    return own;
  }

  async function hasRollups(client: Requests): Promise<boolean> {
    for (const [kind, measurement] of ROLLUPS) if (await endOf(client, kind, measurement, "")) return true;
    return false;
  }

  /** The time of the first or the last rollup of ours. */
  async function endOf(client: Requests, kind: Kind, measurement: string, order: "" | " DESC") {
    const text = `SELECT /^(${METRICS_OF[kind].join("|")})Count$/ FROM "${measurement}" WHERE ${queries.ours}
      ORDER BY time${order} LIMIT 1`;
    for await (const { values } of client.query(text, {}, PATIENCE)) for (const [time] of values) return Number(time);
    return undefined;
  }

  async function move(): Promise<void> {
    const isEmpty = memory.isApart() && !(await hasRollups(own));
    const found = [];
    for (const [kind, measurement] of ROLLUPS) {
      const first = await endOf(raw, kind, measurement, "");
      const last = await endOf(raw, kind, measurement, " DESC");
      if (first !== undefined && last !== undefined) found.push({ kind, measurement, first, last });
    }
    let copied = 0;
    for (const { kind, measurement, first, last } of found)
      for (let from = first; from <= last; from += DAY_MS)
        copied += await copy(kind, measurement, { from, to: Math.min(from + DAY_MS, last + 1) });
    // All of it is there: a reader looks there before the first one is removed here.
    memory.setApart();
    isMoved = true;
    if (isEmpty) memory.lost();
    for (const { measurement, last } of found) await removeCopied(measurement, last + 1);
    if (found.length > 0) log.info({ copied }, "rollups have moved to a place of their own");
  }

  /** What is there already is newer: it was computed there. Says how many were copied. */
  async function copy(kind: Kind, measurement: string, range: { from: number; to: number }): Promise<number> {
    if (isClosed()) throw new StoreError("unavailable", "the store is closed");
    const { text: wanted, values } = queries.where(range);
    const fields = METRICS_OF[kind].flatMap((metric) => ROLLUP_FIELDS.map((part) => `${metric}${part}`)).join("|");
    const text = `SELECT /^(${fields})$/, "sensorId"::tag, "district"::tag, "installation"::tag FROM "${measurement}"
      WHERE ${wanted} ORDER BY time`;
    const linesIn = async (client: Requests) => {
      const lines = new Map<string, string>();
      for await (const series of client.query(text, values, PATIENCE))
        for (const line of rollupLines(kind, measurement, series)) lines.set(keyOf(line), line);
      return lines;
    };
    const due = await linesIn(raw);
    if (due.size === 0) return 0;
    for (const key of (await linesIn(own)).keys()) due.delete(key);
    const lines = [...due.values()];
    for (let start = 0; start < lines.length; start += LINES_PER_REQUEST_MAX)
      await own.write(lines.slice(start, start + LINES_PER_REQUEST_MAX));
    if (lines.length === 0) return 0;
    const there = await linesIn(own);
    const missing = lines.filter((line) => there.get(keyOf(line)) !== line).length;
    if (missing > 0)
      throw new StoreError("misconfigured", `${missing} rollups of ${measurement} did not arrive in their own place`);
    return lines.length;
  }

  async function removeCopied(measurement: string, before: number): Promise<void> {
    const { text, values } = queries.marks(measurement);
    try {
      for await (const series of raw.query(text, values))
        for (const [, mark] of series.values)
          if (!Number.isNaN(dayOfMark(installation, String(mark)) ?? 0))
            await raw.remove({ measurement, mark: String(mark), before });
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind === "unavailable") throw error;
      log.warn({ measurement, reason: error.message }, "rollups that were copied stay with the readings, too");
    }
  }

  function found(): RollupsFound | undefined {
    const keeps = parts.keeps();
    if (shared) return { keepsMs: keeps.raw, shared: shared.why };
    return memory.isApart() ? { keepsMs: keeps.own, broken } : undefined;
  }

  return {
    reading,
    writing,
    doubt() {
      isMoved = false;
    },
    found,
    async look() {
      await isUsable();
      await reading();
      return found();
    },
  };
}

const ROLLUPS = KINDS.flatMap((kind) =>
  ["hourly", "daily"].map((resolution): [Kind, string] => [kind, `${kind}_${resolution}`]),
);

/** Measurement and tags, and the time: what makes two lines one point. */
function keyOf(line: string): string {
  const [series, , time] = line.split(" ");
  return `${series} ${time}`;
}
