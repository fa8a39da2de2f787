import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { viewAlert } from "../../contract/alert.ts";
import { byId, pageOf } from "../../contract/common.ts";
import { AddedWallDisplay, NewWallDisplay, WallBody, WallDisplayBody, type WallView } from "../../contract/wall.ts";
import { SEVERITIES, type Severity } from "../../model/alert.ts";
import { KINDS } from "../../model/kinds.ts";
import { hashSecret, newSecret } from "../../model/secret.ts";
import { UTC } from "../../model/zone.ts";
import type { WallDisplay } from "../../store/records/walls.ts";
import type { Api, Parts } from "../api.ts";
import { refuseUnknown } from "../known-names.ts";
import { mayCall } from "../permissions.ts";
import { answers, media, notFound, ProblemError } from "../problems.ts";
import { RETRY_LINE } from "../streams.ts";

const DISPLAYS_MAX = 50;
/** Of one display; and of all, with people who look at it signed in. */
const SCREENS_MAX = 10;
const SCREENS_OF_ALL_MAX = 100;
const ALERTS_SHOWN = 20;
/** News come in bursts; a display is told at most so often. */
const PAUSE_MS = 1_000;
const tags = ["wall"];
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;
const SSE = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

const list = { tags, summary: "The displays on walls", response: answers({ 200: pageOf(WallDisplayBody) }) };
const add = {
  tags,
  summary: "Add a display",
  description:
    "Its token, shown once, opens `GET /wall` and `GET /wall/events` and nothing else; the page is `/wall#<token>`.",
  body: NewWallDisplay,
  response: answers({ 201: AddedWallDisplay }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Revoke a display: its screens go dark at once",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};
const wall = {
  tags,
  summary: "What a display shows",
  description: "With the token of a display, or signed in.",
  response: answers({ 200: WallBody }, 401, 403),
};
const events = {
  tags,
  summary: "The same whenever it changes (Server-Sent Events)",
  description: "`event: wall` holds all of it, first at once, then at most once a second; a comment every 15 s.",
  response: answers({ 200: media("The stream", { "text/event-stream": z.string() }) }, 401, 403, 503),
};

type WallParts = Pick<
  Parts,
  "records" | "auth" | "now" | "zone" | "health" | "limits" | "background" | "sessions" | "rules"
>;
/** Whose screen it is: a display's, or that of somebody who is signed in. */
type Scope = { readonly display?: WallDisplay; readonly account?: string };

/** Displays on walls: what is open in the city, for all to see, by a token that can do nothing else. */
export function addWalls(app: Api, parts: WallParts): void {
  const { records, auth, now } = parts;
  const { walls } = records;
  const screens = createScreens(parts);
  app.addHook("preClose", async () => screens.close());

  app.get("/wall-displays", { schema: list }, async () => ({ items: walls.list().map(view) }));

  app.post("/wall-displays", { schema: add }, async (request, reply) => {
    const { id, name, districts } = request.body;
    if (walls.get(id)) throw new ProblemError("conflict", `There is a display "${id}" already.`);
    if (walls.list().length >= DISPLAYS_MAX)
      throw new ProblemError("conflict", `There are ${DISPLAYS_MAX} displays already: remove one first.`);
    refuseUnknown(parts, [{ what: "district", pointer: "/districts", names: districts }]);
    const [token, at, by] = [newSecret(), now(), auth.account(request).name];
    const display = { id, name, districts, secretHash: hashSecret(token), createdAt: at, createdBy: by };
    records.transaction(() => {
      walls.add(display);
      records.audit.add({ at, by, what: "wall.add", target: id, detail: districts.join(" ") || "the whole city" });
    });
    return reply.code(201).send({ ...view(display), token });
  });

  app.delete("/wall-displays/:id", { schema: remove }, async (request, reply) => {
    const [{ id }, by] = [request.params, auth.account(request).name];
    records.transaction(() => {
      if (!walls.remove(id)) throw notFound("display", id);
      records.audit.add({ at: now(), by, what: "wall.remove", target: id });
    });
    screens.end(id);
    return reply.code(204).send();
  });

  app.get("/wall", { schema: wall }, async (request) => wallNow(parts, scopeOf(request).display));

  app.get("/wall/events", { schema: events, exposeHeadRoute: false }, (request, reply) => {
    screens.open(scopeOf(request), reply);
  });

  /** A display's token; else whoever is signed in and may view. A wrong token counts like any other wrong one. */
  function scopeOf(request: FastifyRequest): Scope {
    const token = BEARER.exec(request.headers.authorization ?? "")?.[1];
    const display = token === undefined ? undefined : walls.bySecretHash(hashSecret(token));
    if (display) {
      walls.use(display, now());
      return { display };
    }
    const account = token === undefined ? parts.sessions.use(request)?.account : auth.ofToken(request, token).account;
    if (!account) throw new ProblemError("unauthenticated", "Open the address with the display's token, or sign in.");
    if (!mayCall(["viewer", "crew", "operator", "admin"], account))
      throw new ProblemError("forbidden", `The role of ${account.name} does not allow this.`);
    return { account: account.name };
  }

  function view({ secretHash: _, createdAt, usedAt, ...rest }: WallDisplay) {
    const used = usedAt === undefined ? {} : { usedAt: iso(usedAt) };
    return { ...rest, createdAt: iso(createdAt), ...used, open: screens.count(rest.id) };
  }
}

type Screen = { readonly scope: Scope; readonly raw: FastifyReply["raw"] };

/** The open streams. Each is sent all there is to see, so that one that missed something needs nothing else. */
function createScreens(parts: WallParts) {
  const { records, limits, background } = parts;
  const open = new Set<Screen>();
  let isNews = false;
  const stops = [
    background.every("heartbeat of the wall displays", limits.heartbeatMs, beat),
    background.every("wall displays", PAUSE_MS, tell),
  ];

  records.events.onEvent(() => {
    isNews = true;
  });

  function tell(): void {
    if (!isNews || open.size === 0) return;
    isNews = false;
    const texts = new Map<WallDisplay | undefined, string>();
    for (const screen of [...open]) {
      const { display } = screen.scope;
      if (!texts.has(display)) texts.set(display, textOf(display));
      write(screen, texts.get(display)!);
    }
  }

  const textOf = (display: WallDisplay | undefined) =>
    `event: wall\ndata: ${JSON.stringify(wallNow(parts, display))}\n\n`;

  /** One that does not read is cut off, and comes back. */
  function write(screen: Screen, text: string): void {
    screen.raw.write(text);
    if (screen.raw.writableLength > limits.streamBufferBytesMax) screen.raw.destroy();
  }

  /** Also for what no event tells, such as the state of the service itself. */
  function beat(): void {
    for (const screen of [...open]) {
      if (isGone(screen.scope)) screen.raw.end();
      else write(screen, ": still here\n\n");
    }
    isNews = true;
  }

  function isGone({ display, account }: Scope): boolean {
    return display ? !records.walls.get(display.id) : !records.credentials.byName(account!);
  }

  const count = (id: string) => [...open].filter(({ scope }) => scope.display?.id === id).length;

  return {
    count,
    open(scope: Scope, reply: FastifyReply): void {
      const isFull = scope.display ? count(scope.display.id) >= SCREENS_MAX : false;
      if (isFull || open.size >= SCREENS_OF_ALL_MAX)
        throw new ProblemError("unavailable", "Too many screens show this already.", { retryAfterS: 30 });
      const first = textOf(scope.display);
      reply.hijack();
      reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...SSE });
      const screen = { scope, raw: reply.raw };
      open.add(screen);
      reply.raw.on("close", () => open.delete(screen));
      reply.raw.on("error", () => open.delete(screen));
      reply.raw.write(RETRY_LINE);
      reply.raw.write(first);
    },
    /** A display was revoked. */
    end(id: string): void {
      for (const { scope, raw } of [...open]) if (scope.display?.id === id) raw.end();
    },
    close(): void {
      for (const stop of stops) stop();
      for (const { raw } of [...open]) raw.end();
    },
  };
}

const HANDLED = ["open", "acknowledged", "in-progress"] as const;
const none = (): Record<Severity, number> => ({ info: 0, warning: 0, critical: 0 });

function wallNow({ records, now, zone = UTC, health }: WallParts, display: WallDisplay | undefined): WallView {
  const shows = display && display.districts.length > 0 ? new Set(display.districts) : undefined;
  const isShown = (district: string | undefined) => !shows || (district !== undefined && shows.has(district));
  const counts = none();
  const ofDistrict = new Map<string, Record<Severity, number>>();
  let quieted = 0;
  let unacknowledged = 0;
  for (const { district, severity, handling, quiet, count } of records.alerts.openByDistrict()) {
    if (!isShown(district)) continue;
    if (quiet) {
      quieted += count;
      continue;
    }
    counts[severity] += count;
    if (handling === "open") unacknowledged += count;
    if (district === undefined) continue;
    const own = ofDistrict.get(district) ?? none();
    own[severity] += count;
    ofDistrict.set(district, own);
  }
  return {
    at: iso(now()),
    ...(display ? { name: display.name } : {}),
    zone: zone.name,
    counts,
    quieted,
    unacknowledged,
    districts: records.sensors.districts().flatMap(({ district, sensors }) => {
      const open = ofDistrict.get(district) ?? none();
      const worst = SEVERITIES.findLast((severity) => open[severity] > 0);
      return isShown(district) ? [{ district, sensors, open, ...(worst ? { worst } : {}) }] : [];
    }),
    alerts: worstOf(records, shows),
    troubles: health().flatMap(({ part, state }) => (state === "ok" ? [] : [{ part }])),
    kinds: [...KINDS],
  };
}

function worstOf({ alerts }: Parts["records"], shows: ReadonlySet<string> | undefined): WallView["alerts"] {
  const found: WallView["alerts"][number][] = [];
  const filter = { state: ["firing"], handling: HANDLED, suppressed: false } as const;
  for (const severity of SEVERITIES.toReversed()) {
    for (const district of shows ?? [undefined]) {
      const place = district === undefined ? {} : { district };
      const page = alerts.list({ ...filter, severity: [severity], ...place }, ALERTS_SHOWN);
      for (const alert of page.items) {
        const { id, rule, subject, kind, handling, assignee, startedAt, explanation, says } = viewAlert(alert);
        const shown = { id, rule, subject, kind, severity, handling, startedAt, explanation };
        found.push({ ...shown, ...(assignee ? { assignee } : {}), ...(says ? { says } : {}) });
      }
    }
    if (found.length >= ALERTS_SHOWN) break;
  }
  const rank = (severity: Severity) => SEVERITIES.indexOf(severity);
  const byUrgency = (a: WallView["alerts"][number], b: WallView["alerts"][number]) =>
    rank(b.severity) - rank(a.severity) || (a.startedAt < b.startedAt ? 1 : -1);
  return found.sort(byUrgency).slice(0, ALERTS_SHOWN);
}

const iso = (time: number) => new Date(time).toISOString();
