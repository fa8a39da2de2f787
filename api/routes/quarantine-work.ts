import { z } from "zod";
import { Flag } from "../../contract/common.ts";
import {
  CauseCorrection,
  CorrectedBody,
  Dismissal,
  DismissedBody,
  EditedPayload,
  RedrivenBody,
} from "../../contract/ledger.ts";
import type { QuarantineItem } from "../../store/records/quarantine.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["quarantine"];

const dismiss = {
  tags,
  summary: "Make nothing of quarantined items: by ids, or all of a cause that wait (up to 10,000)",
  description: "They stay in the books and in the list (`state=dismissed`), with who dismissed them and why.",
  body: Dismissal,
  response: answers({ 200: DismissedBody }, 413, 415),
};
const edit = {
  tags,
  summary: "Edit a copy of a quarantined item and send that",
  description:
    "With the sender, topic and time of receipt of the item, marked with who edited it: in its source, in the trace and in the ledger. Of a refused value the payload is the value.",
  params: z.object({ id: z.coerce.number().int().min(1) }),
  body: EditedPayload,
  response: answers({ 200: RedrivenBody }, 404, 409, 413, 415, 503),
};
const correct = {
  tags,
  summary: "Send all that waits of a cause again, corrected by one rule",
  description:
    "Refused values times `factor` plus `offset`, or items as a whole with `measuredAt` moved by `shiftS`. Each is an edited copy. With `dryRun=true` nothing is sent.",
  querystring: z.strictObject({ dryRun: Flag }),
  body: CauseCorrection,
  response: answers({ 200: CorrectedBody }, 413, 415, 503),
};

/** In one transaction of the records, so that nobody waits long. */
const PIECE = 1_000;
const EXAMPLES_MAX = 5;

/** What people do about what could not become readings. */
export function addQuarantineWork(app: Api, parts: Parts): void {
  const { records, auth, now, faults, limits } = parts;
  const { quarantine, audit } = records;

  app.post("/quarantine/dismiss", { schema: dismiss }, async (request) => {
    const { because, sensor, reason, metric } = request.body;
    const by = auth.account(request).name;
    const cause =
      sensor === undefined || reason === undefined ? undefined : { sensor, reason, ...(metric && { metric }) };
    const ids = cause
      ? quarantine.ofCause({ ...cause, sensorId: cause.sensor }, limits.redriveMax)
      : (request.body.ids ?? []);
    let dismissed = 0;
    for (let from = 0; from < ids.length; from += PIECE) {
      if (from > 0) await new Promise(setImmediate);
      dismissed += quarantine.dismiss(ids.slice(from, from + PIECE), because, by, now());
    }
    if (cause) faults.forget(cause.sensor, cause);
    const target = cause ? nameOf(cause) : `items ${ids.slice(0, EXAMPLES_MAX).join(", ")}`;
    const detail = `${dismissed} items: ${because}`;
    audit.add({ at: now(), by, what: "quarantine.dismiss", target, detail });
    return { dismissed };
  });

  app.post("/quarantine/:id/edit", { schema: edit }, async (request) => {
    const item = quarantine.get(request.params.id);
    if (!item) throw notFound("quarantined message", String(request.params.id));
    if (item.redrivenAt !== undefined)
      throw new ProblemError("conflict", `${item.redrivenBy} has dealt with it already.`);
    const { payload, because } = request.body;
    const by = auth.account(request).name;
    const redriven = await parts.redrive([item.id], by, () => Buffer.from(payload));
    if (redriven === 0)
      throw new ProblemError("conflict", "It cannot be sent again: it was not kept as it came, or its sender may not.");
    const detail = because ?? "edited and sent again";
    audit.add({ at: now(), by, what: "quarantine.edit", target: `item ${item.id}`, detail });
    return { redriven };
  });

  app.post("/quarantine/correct", { schema: correct }, async (request) => {
    const rule = request.body;
    checkRule(rule);
    const by = auth.account(request).name;
    const ids = quarantine.ofCause({ ...rule, sensorId: rule.sensor }, limits.redriveMax);
    const examples: { id: number; before: string; after: string }[] = [];
    const look = (item: QuarantineItem) => {
      const before = item.rejection.payload && Buffer.from(item.rejection.payload).toString();
      const after = before && corrected(before, rule);
      if (before && after && examples.length < EXAMPLES_MAX)
        examples.push({ id: item.id, before: shown(before), after: shown(after) });
      return after === undefined ? undefined : Buffer.from(after);
    };
    if (request.query.dryRun === "true") {
      let able = 0;
      for (const [i, id] of ids.entries()) {
        if (i % PIECE === PIECE - 1) await new Promise(setImmediate);
        const item = quarantine.get(id);
        if (item && look(item)) able += 1;
      }
      return { corrected: able, left: ids.length - able, examples };
    }
    const sent = await parts.redrive(ids, by, look);
    if (sent > 0) faults.forget(rule.sensor, rule);
    audit.add({
      at: now(),
      by,
      what: "quarantine.correct",
      target: nameOf(rule),
      detail: `${sent} items, ${describeRule(rule)}: ${rule.because}`,
    });
    return { corrected: sent, left: ids.length - sent, examples };
  });
}

type Rule = z.output<typeof CauseCorrection>;

function checkRule({ metric, factor, offset, shiftS }: Rule): void {
  if (metric !== undefined && shiftS !== undefined)
    throw invalid("/shiftS", "A single value has no time of its own: use factor or offset.");
  if (metric === undefined && (factor !== undefined || offset !== undefined))
    throw invalid("/factor", "Name the metric whose values are meant.");
  if (factor === 0) throw invalid("/factor", "Every value would be the same.");
  if (factor === undefined && offset === undefined && shiftS === undefined)
    throw invalid(metric === undefined ? "/shiftS" : "/factor", "Say how they are corrected.");
}

const nameOf = ({ sensor, reason, metric }: Pick<Rule, "sensor" | "reason" | "metric">) =>
  [sensor, reason, ...(metric ? [metric] : [])].join(" ");

const describeRule = ({ factor = 1, offset = 0, shiftS }: Rule) =>
  shiftS === undefined ? `times ${factor} plus ${offset}` : `measuredAt moved by ${shiftS} s`;

const SHOWN_CHARS_MAX = 200;
const shown = (text: string) => (text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text);

/** The payload as the rule makes it; undefined where it cannot be told. */
function corrected(payload: string, { metric, factor = 1, offset = 0, shiftS = 0 }: Rule): string | undefined {
  const said = parse(payload);
  if (metric !== undefined) {
    const value = typeof said === "string" ? Number(said.trim().replace(",", ".") || Number.NaN) : said;
    if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
    // 0.1 + 0.2 is not to be read as 0.30000000000000004.
    return JSON.stringify(Number((value * factor + offset).toPrecision(12)));
  }
  const all = Array.isArray(said) ? said : [said];
  if (!all.every((one) => isMoved(one, shiftS))) return undefined;
  return JSON.stringify(said);
}

/** Moves it in place. */
function isMoved(reading: unknown, shiftS: number): boolean {
  if (typeof reading !== "object" || reading === null) return false;
  const own = reading as { measuredAt?: unknown };
  if (typeof own.measuredAt === "number") own.measuredAt += shiftS * 1_000;
  else {
    const at = typeof own.measuredAt === "string" ? Date.parse(own.measuredAt) : Number.NaN;
    if (Number.isNaN(at)) return false;
    own.measuredAt = new Date(at + shiftS * 1_000).toISOString();
  }
  return true;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is no JSON is left for a person to edit
  }
}
