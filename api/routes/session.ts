import { z } from "zod";
import { NewPassword, SessionBody, type SessionView, SignIn, StartedSessionBody } from "../../contract/account.ts";
import type { Account } from "../../model/people.ts";
import { UTC } from "../../model/zone.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid } from "../problems.ts";
import { isFromPage, setSession } from "../sessions.ts";
import { createSignIn, type Shown } from "../sign-in.ts";
import { mapOf } from "./map.ts";

const tags = ["session"];

const start = {
  tags,
  summary: "Sign in on the page: with a token, or a name and a password",
  description: "Answers with a cookie that no script can read. Wrong secrets make those wait who send them.",
  body: SignIn,
  response: answers({ 201: StartedSessionBody }, 413, 415, 503),
};
const who = {
  tags,
  summary: "Who is signed in, and what the page may show to anyone",
  response: answers({ 200: SessionBody }),
};
const end = { tags, summary: "Sign out", response: answers({ 204: z.undefined() }) };
const password = {
  tags,
  summary: "Choose a password for signing in; other sessions end, the token stays as it is",
  body: NewPassword,
  response: answers({ 204: z.undefined() }, 413, 415, 503),
};

export function addSession(app: Api, parts: Parts): void {
  const { auth, sessions, records, streams, limits, now, options, map, zone = UTC } = parts;
  const signIn = createSignIn(parts);

  app.post("/session", { schema: start }, async (request, reply) => {
    const shown = request.body as Shown;
    const account = await signIn.check(request, shown);
    endSession(parts, sessions.use(request)?.secretHash);
    const { id, expiresAt } = sessions.start(account.name);
    records.audit.add({ at: now(), by: account.name, what: "session.start", target: request.ip });
    setSession(reply, id, Math.floor(limits.sessionMaxMs / 1_000));
    if ("user" in shown) signIn.markBrowser(reply, account.name);
    return reply.code(201).send({ user: viewUser(account), expiresAt: new Date(expiresAt).toISOString() });
  });

  app.get("/session", { schema: who }, async (request) => {
    const known = sessions.use(request);
    const { isPublic, tilesUrl } = options.page;
    return {
      ...(known ? { user: viewUser(known.account) } : {}),
      ...(known ? { map: mapOf(map, options.page) } : {}),
      ...(tilesUrl ? { tilesUrl } : {}),
      publicPage: isPublic,
      version: options.version,
      timeZone: zone.name,
    };
  });

  app.delete("/session", { schema: end }, async (request, reply) => {
    const used = isFromPage(request) ? sessions.use(request) : undefined;
    if (used) {
      endSession(parts, used.secretHash);
      records.audit.add({ at: now(), by: used.account.name, what: "session.end", target: request.ip });
    }
    setSession(reply, undefined);
    return reply.code(204).send();
  });

  app.put("/session/password", { schema: password }, async (request, reply) => {
    const { account, secretHash } = auth.known(request);
    const { current, next } = request.body;
    if (next.toLowerCase().includes(account.name))
      throw invalid("/next", "The password must not contain the user name.");
    // Who guesses with a session that was left open makes nobody else wait.
    const isRight = await signIn.isRight(request, account.name, current, `session ${secretHash}`);
    if (!isRight) throw invalid("/current", "The current password is wrong.");
    const hash = await signIn.hash(request, account.name, next);
    records.sessions.setPassword(account.name, hash, now());
    records.audit.add({ at: now(), by: account.name, what: "user.password", target: account.name });
    for (const ended of sessions.endOthers(account.name, secretHash)) streams.endOf(ended);
    signIn.markBrowser(reply, account.name);
    return reply.code(204).send();
  });
}

function endSession({ sessions, streams }: Pick<Parts, "sessions" | "streams">, idHash: string | undefined): void {
  if (idHash === undefined) return;
  sessions.end(idHash);
  streams.endOf(idHash);
}

const viewUser = (account: Account): NonNullable<SessionView["user"]> => ({
  name: account.name,
  role: account.role === "gateway" ? "device" : account.role,
});
