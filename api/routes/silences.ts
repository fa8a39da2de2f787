import { setImmediate as immediate } from "node:timers/promises";
import { z } from "zod";
import { pageOf } from "../../contract/common.ts";
import {
  NewSilence,
  SilenceBody,
  SilencePreview,
  SilencePreviewBody,
  type SilencePreviewView,
  SilencesQuery,
  type SilenceView,
  WindowsBody,
  WindowsQuery,
  type WindowsView,
} from "../../contract/silence.ts";
import { matcherOf } from "../../model/rule-match.ts";
import {
  factsOf,
  matches,
  SILENCE_MAX_MS,
  SILENCES_MAX,
  type Silence,
  type SilenceMatchers,
  silenceSpan,
  silenceSpans,
  silenceState,
} from "../../model/silence.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Api, Parts } from "../api.ts";
import { refuseUnknown } from "../known-names.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["silences"];
const bySilenceId = z.object({ id: z.string().regex(/^\d{1,15}$/, "The id of a silence is a whole number.") });
/** A year: what is planned further ahead is forgotten. */
const AHEAD_MAX_MS = 366 * DAY_MS;

const list = {
  tags,
  summary: "Silences and maintenance windows, the newest first",
  querystring: SilencesQuery,
  response: answers({ 200: pageOf(SilenceBody) }),
};
const one = { tags, summary: "One of them", params: bySilenceId, response: answers({ 200: SilenceBody }, 404) };
const add = {
  tags,
  summary: "Keep alerts from being told for a time",
  description:
    "They are recorded and listed as ever, with what suppresses them. What was told before gets its end told.",
  body: NewSilence,
  response: answers({ 201: SilenceBody }, 409, 413, 415),
};
const preview = {
  tags,
  summary: "What a silence would cover now; nothing is saved",
  body: SilencePreview,
  response: answers({ 200: SilencePreviewBody }, 413, 415),
};
const windows = {
  tags,
  summary: "When silences and maintenance windows that have not ended are on, between two times, in order",
  querystring: WindowsQuery,
  response: answers({ 200: WindowsBody }),
};
const end = {
  tags,
  summary: "End it; it stays in the list, with who ended it",
  params: bySilenceId,
  response: answers({ 204: z.undefined() }, 404, 409),
};

type SilenceParts = Pick<Parts, "records" | "auth" | "now" | "rules">;

export function addSilences(app: Api, parts: SilenceParts): void {
  const { records, auth, now } = parts;

  app.get("/silences", { schema: list }, async (request) => {
    const { limit, cursor, ended } = request.query;
    const at = now();
    const filter = { at, ...(ended === undefined ? {} : { ended: ended === "true" }) };
    const page = records.silences.list(filter, limit, cursor);
    return { ...page, items: page.items.map((silence) => view(silence, at)) };
  });

  app.get("/silences/windows", { schema: windows }, async (request) => {
    const [from, to] = [Date.parse(request.query.from), Date.parse(request.query.to)];
    if (!(to > from && to - from <= WINDOWS_SPAN_MAX_MS)) throw invalid("#/query/to", "After from, at most 62 days.");
    return windowsIn(records.silences.current(), from, to);
  });

  app.get("/silences/:id", { schema: one }, async (request) => {
    const silence = records.silences.get(Number(request.params.id));
    if (!silence) throw notFound("silence", request.params.id);
    return view(silence, now());
  });

  app.post("/silences", { schema: add }, async (request, reply) => {
    const silence = addOne(parts, request.body, auth.account(request).name);
    return reply.code(201).send(view(silence, now()));
  });

  app.post("/silences/preview", { schema: preview }, async (request) => {
    const { matchers } = request.body;
    refuseUnknownIn(parts, matchers);
    return covered(parts, matchers);
  });

  app.delete("/silences/:id", { schema: end }, async (request, reply) => {
    endOne(parts, Number(request.params.id), auth.account(request).name);
    return reply.code(204).send();
  });
}

function addOne(parts: SilenceParts, body: z.infer<typeof NewSilence>, by: string): Silence {
  const { records, now } = parts;
  const at = now();
  refuseUnknownIn(parts, body.matchers);
  const silence = toSilence(body, at, by);
  const mistake = mistakeIn(silence, at);
  if (mistake) throw invalid(...mistake);
  return records.transaction(() => {
    const open = records.silences.current().filter((other) => silenceState(other, at) !== "ended");
    if (open.length >= SILENCES_MAX) {
      throw new ProblemError(
        "conflict",
        `There are ${open.length} silences already: end some, or match more with one.`,
      );
    }
    const added = records.silences.add(silence);
    const { kind, matchers, reason } = added;
    const detail = `${kind} ${JSON.stringify(matchers)}: ${reason}`;
    records.audit.add({ at, by, what: "silence.add", target: String(added.id), detail });
    return added;
  });
}

const WINDOWS_SPAN_MAX_MS = 62 * DAY_MS;
const WINDOWS_MAX = 2_000;
/** Of silences, a window a day each: looked at in one piece. */
const WINDOWS_AT_ONCE = 5;

/** Each time that one of them is on. */
async function windowsIn(silences: readonly Silence[], from: number, to: number): Promise<WindowsView> {
  const found: { silence: number; from: number; to: number }[] = [];
  let looked = 0;
  for (const silence of silences) {
    if (found.length > WINDOWS_MAX) break;
    for (const span of silenceSpans(silence, from, to)) found.push({ silence: silence.id, ...span });
    looked += 1;
    if (looked % WINDOWS_AT_ONCE === 0) await immediate();
  }
  const items = found.sort((a, b) => a.from - b.from || a.silence - b.silence).slice(0, WINDOWS_MAX);
  return {
    items: items.map((one) => ({
      silence: one.silence,
      from: iso(one.from),
      ...(Number.isFinite(one.to) ? { to: iso(one.to) } : {}),
    })),
    truncated: found.length > WINDOWS_MAX,
  };
}

const NAMED = ["rule", "district", "sensor", "gateway"] as const;

function refuseUnknownIn(parts: SilenceParts, matchers: SilenceMatchers): void {
  const given = NAMED.flatMap((what) => {
    const names = matchers[what];
    return names === undefined ? [] : [{ what, pointer: `/matchers/${what}`, names }];
  });
  refuseUnknown(parts, given);
}

/** Looked at in one piece, before others have a turn. */
const PIECE = 1_000;

/** Sensors whose alerts it would keep quiet, and the open alerts among them. */
async function covered({ records, rules }: SilenceParts, matchers: SilenceMatchers): Promise<SilencePreviewView> {
  const { rule, severity, audience, ...place } = matchers;
  const isNarrowed = [rule, severity, audience].some((one) => one !== undefined);
  const anyOf = (wanted: string | readonly string[] | undefined, value: string) =>
    wanted === undefined || [wanted].flat().includes(value);
  const narrowed = rules().filter(
    (one) => anyOf(rule, one.id) && anyOf(severity, one.severity) && anyOf(audience, one.audience),
  );
  const watches = isNarrowed ? narrowed.map(matcherOf) : [() => true];
  let sensors = 0;
  let seen = 0;
  for (const sensor of records.sensors.list()) {
    const { id, kind, district, gateway, tags } = sensor;
    const facts = { sensor: id, kind, district, gateway, tags, rule: "", severity: "info", audience: "crews" } as const;
    if (matches(place, facts) && watches.some((watch) => watch(sensor))) sensors += 1;
    seen += 1;
    if (seen % PIECE === 0) await immediate();
  }
  let openAlerts = 0;
  for (let page = records.noise.openTraits(0, PIECE); page.length > 0; ) {
    for (const { about } of page) {
      const { sensorId } = about.subject;
      const known = sensorId === undefined ? undefined : records.sensors.get(sensorId);
      if (matches(matchers, factsOf(about, known))) openAlerts += 1;
    }
    await immediate();
    page = records.noise.openTraits(page.at(-1)!.row, PIECE);
  }
  return { sensors, openAlerts };
}

function endOne({ records, now }: SilenceParts, id: number, by: string): void {
  const at = now();
  records.transaction(() => {
    const silence = records.silences.get(id);
    if (!silence) throw notFound("silence", String(id));
    if (silence.endedAt !== undefined) {
      const when = new Date(silence.endedAt).toISOString();
      throw new ProblemError("conflict", `The silence was ended by ${silence.endedBy} at ${when}.`);
    }
    if (silenceState(silence, at) === "ended") throw new ProblemError("conflict", "This silence has already ended.");
    records.silences.end(id, at, by);
    records.audit.add({ at, by, what: "silence.end", target: String(id) });
  });
}

function toSilence(body: z.infer<typeof NewSilence>, at: number, by: string): Omit<Silence, "id"> {
  const { kind, matchers, weekly, reason } = body;
  // It cannot keep quiet what was told already: it begins now at the earliest.
  const startsAt = Math.max(at, body.startsAt === undefined ? at : Date.parse(body.startsAt));
  const endsAt = body.endsAt === undefined ? undefined : Date.parse(body.endsAt);
  return { kind, matchers, startsAt, endsAt, weekly, reason, createdAt: at, createdBy: by };
}

/** Pointer and sentence. */
function mistakeIn(silence: Omit<Silence, "id">, at: number): readonly [string, string] | undefined {
  const { kind, startsAt, endsAt, weekly } = silence;
  if (weekly && kind !== "maintenance") return ["/weekly", "Only maintenance comes back every week: kind maintenance."];
  if (startsAt - at > AHEAD_MAX_MS) return ["/startsAt", "At most a year ahead."];
  if (endsAt === undefined)
    return weekly ? neverOn(silence, at) : ["/endsAt", "Say when it ends: at most 30 days later."];
  if (endsAt <= startsAt) return ["/endsAt", "It must end after now and after its start."];
  if (!weekly && endsAt - startsAt > SILENCE_MAX_MS) {
    return ["/endsAt", "At most 30 days: for longer, change the rule instead."];
  }
  return neverOn(silence, at);
}

function neverOn(silence: Omit<Silence, "id">, at: number): readonly [string, string] | undefined {
  const isOn = silenceSpan({ ...silence, id: 0 }, at) !== undefined;
  return isOn ? undefined : ["/weekly", "Between startsAt and endsAt this window never comes."];
}

function view(silence: Silence, at: number): SilenceView {
  const { startsAt, endsAt, createdAt, endedAt, ...rest } = silence;
  const span = silenceSpan(silence, at);
  return {
    ...rest,
    state: silenceState(silence, at),
    startsAt: iso(startsAt),
    createdAt: iso(createdAt),
    ...(endsAt === undefined ? {} : { endsAt: iso(endsAt) }),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    ...(span && { window: { from: iso(span.from), ...(Number.isFinite(span.to) ? { to: iso(span.to) } : {}) } }),
  };
}

const iso = (time: number) => new Date(time).toISOString();
