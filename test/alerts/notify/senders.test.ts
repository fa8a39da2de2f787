import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterEach, describe, expect, it } from "vitest";
import { createMailer } from "../../../alerts/channels/email.ts";
import { createSend, type NotifyPorts } from "../../../alerts/channels/registry.ts";
import { AddressRefused } from "../../../alerts/notify/http-post.ts";
import type { Target } from "../../../model/target.ts";
import { T0 } from "../builders.ts";
import { aNotice, aTarget } from "./world.ts";

/** As a connector of Teams says it with its 200 (https://github.com/MicrosoftDocs/msteams-docs/issues/1810). */
const TEAMS_FAILED = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error";
const never = new AbortController().signal;
const EMAIL = { type: "email", url: undefined, to: "olga@city.example, otto@city.example" } as const;

function sender(ports: Partial<NotifyPorts>, timeoutMs = 30_000) {
  const all = { post: async () => ({ status: 200 }), publish: async () => {}, ...ports };
  const send = createSend(all, { now: () => T0, timeoutMs });
  return (target: Partial<Target> = {}) => send(aTarget(target), { id: "msg_1", notices: [aNotice()] }, never);
}
const answering = (status: number, retryAfter?: string) =>
  sender({ post: async () => ({ status, ...(retryAfter ? { retryAfter } : {}) }) })();

describe("what an answer means", () => {
  it.each([
    [200, "sent"],
    [204, "sent"],
    [301, "refused"],
    [302, "refused"],
    [400, "refused"],
    [401, "refused"],
    [404, "refused"],
    [408, "unreachable"],
    [410, "gone"],
    [422, "refused"],
    [429, "unreachable"],
    [500, "unreachable"],
    [503, "unreachable"],
  ])("%i: %s", async (status, is) => {
    expect((await answering(status)).is).toBe(is);
  });

  it.each([
    ["slack", "ok", "sent"],
    ["slack", " ok\n", "sent"],
    ["slack", "", "refused"],
    ["slack", "no_text", "refused"],
    ["slack", '{"ok":false,"error":"channel_is_archived"}', "refused"],
    ["slack", "<html>Please sign in</html>", "unreachable"],
    ["teams", "1", "sent"],
    ["teams", "", "sent"],
    ["teams", `${TEAMS_FAILED} 400 with ContextId tcid=1..`, "refused"],
    ["teams", `${TEAMS_FAILED} 413 with ContextId tcid=1..`, "refused"],
    ["teams", `${TEAMS_FAILED} 429 with ContextId tcid=1..`, "unreachable"],
    ["teams", `${TEAMS_FAILED} 503 with ContextId tcid=1..`, "unreachable"],
    ["teams", "<!doctype html><title>Sign in</title>", "unreachable"],
    ["webhook", "error: whatever a program says with its 200", "sent"],
  ] as const)("%s, 200 and %j: %s", async (type, body, is) => {
    const post = async () => ({ status: 200, body });
    const outcome = await sender({ post })({ type });
    expect(outcome.is).toBe(is);
    // What the other side said is not shown.
    expect(JSON.stringify(outcome)).not.toMatch(/archived|tcid|Sign in/);
  });

  it("reads Retry-After in seconds and as a date, and believes no more than a day", async () => {
    expect(await answering(429, "120")).toMatchObject({ retryAfterMs: 120_000 });
    expect(await answering(503, new Date(T0 + 5_000).toUTCString())).toMatchObject({ retryAfterMs: 5_000 });
    expect(await answering(503, new Date(T0 - 5_000).toUTCString())).toMatchObject({ retryAfterMs: 0 });
    expect(await answering(503, "99999999")).toMatchObject({ retryAfterMs: 86_400_000 });
    expect(await answering(503, "soon")).toEqual({ is: "unreachable", error: "answered 503" });
  });

  it("tells admins the code of an error and nothing the other side said", async () => {
    const failing = (error: Error) => sender({ post: () => Promise.reject(error) })();
    const reset = Object.assign(new Error("secret words"), { code: "ECONNRESET" });
    expect(await failing(reset)).toEqual({ is: "unreachable", error: "no connection (ECONNRESET)" });
    expect(await failing(new AddressRefused("not public"))).toEqual({ is: "refused", error: "not public" });
  });

  it("does not wait for what hangs", async () => {
    const hanging = sender(
      { post: ({ signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason))) },
      10,
    );
    expect(await hanging()).toEqual({ is: "unreachable", error: "no answer within 0.01 s" });
    expect(
      await sender({ publish: () => new Promise(() => {}) }, 10)({ type: "mqtt", to: "alerts/to/x" }),
    ).toMatchObject({ is: "unreachable" });
  });

  it("publishes on the topic of an MQTT target", async () => {
    const published: { topic: string; payload: string }[] = [];
    const send = sender({ publish: async (message) => void published.push(message) });
    expect(await send({ type: "mqtt", url: undefined, to: "alerts/to/crews" })).toEqual({ is: "sent" });
    expect(published[0]!.topic).toBe("alerts/to/crews");
    expect(JSON.parse(published[0]!.payload)).toMatchObject({ type: "alert.firing", data: { id: "al-1" } });
  });
});

describe("mail, through a real server", () => {
  type Received = { from: string; to: string[]; source: string };
  let server: SMTPServer | undefined;
  const received: Received[] = [];
  afterEach(async () => {
    await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
    server = undefined;
    received.length = 0;
  });

  async function start(options: object = {}): Promise<string> {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData(stream, session, done) {
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          const to = rcptTo.map(({ address }) => address);
          received.push({ from: mailFrom ? mailFrom.address : "", to, source: Buffer.concat(parts).toString() });
          done();
        });
      },
      ...options,
    });
    server.on("error", () => {});
    await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
    return `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  }

  const from = "Lamppost <lamppost@city.example>";
  const mailer = (url: string, plaintextAllowed = false) =>
    sender({ mail: createMailer({ url, from, plaintextAllowed }) });

  it("arrives with subject, text, both addresses and an id that stays", async () => {
    const send = mailer(`smtp://${await start()}`);
    expect(await send(EMAIL)).toEqual({ is: "sent" });
    expect(await send(EMAIL)).toEqual({ is: "sent" });
    expect(received[0]).toMatchObject({
      from: "lamppost@city.example",
      to: ["olga@city.example", "otto@city.example"],
    });
    expect(received[0]!.source).toMatch(/^Subject: \[warning\] NO2 is high: no2-1, north\r$/m);
    expect(received[0]!.source).toMatch(/^From: Lamppost <lamppost@city.example>\r$/m);
    expect(received[0]!.source).toMatch(/^References: <al-1@lamppost>\r$/m);
    expect(received[0]!.source).toMatch(/^Auto-Submitted: auto-generated\r$/im);
    expect(received[0]!.source).toContain("the limit is 200.");
    for (const { source } of received) expect(source).toMatch(/^Message-ID: <msg_1@lamppost>\r$/m);
  });

  /** A server that wants a password, and what it was shown. */
  async function startWithLogin(options: object = {}): Promise<{ host: string; seen: string[] }> {
    const seen: string[] = [];
    type Auth = { username?: string; password?: string };
    const onAuth = (auth: Auth, _: unknown, done: (error: null, ok: { user: string }) => void) => {
      seen.push(`${auth.username} ${auth.password}`);
      done(null, { user: "x" });
    };
    return { host: await start({ authOptional: false, allowInsecureAuth: true, onAuth, ...options }), seen };
  }

  it("signs in with the user and password of the address", async () => {
    const { host, seen } = await startWithLogin();
    expect(await mailer(`smtp://city:p%40ss@${host}`, true)(EMAIL)).toEqual({ is: "sent" });
    expect(seen).toEqual(["city p@ss"]);
  });

  it.each([
    ["offers no TLS", {}, "", "LAMPPOST_SMTP_PLAINTEXT_ALLOW"],
    ["offers none, whatever the address asks for", {}, "?requireTLS=false&ignoreTLS=true&opportunisticTLS=true", "TLS"],
    ["has a certificate that nobody vouches for", { disabledCommands: [] }, "", "no connection (ESOCKET)"],
  ])("sends no password to a server that %s, says so and tries again", async (_, options, query, words) => {
    const { host, seen } = await startWithLogin(options);
    expect(await mailer(`smtp://city:p%40ss@${host}/${query}`)(EMAIL)).toEqual({
      is: "unreachable",
      error: expect.stringContaining(words),
    });
    expect([seen, received]).toEqual([[], []]);
  });

  it("a mailbox that does not exist is refused, a server that is busy or away is tried again", async () => {
    const refusing = (responseCode: number) => ({
      onRcptTo: (_: unknown, __: unknown, done: (error: Error) => void) =>
        done(Object.assign(new Error("no such user here"), { responseCode })),
    });
    const send = mailer(`smtp://${await start(refusing(550))}`);
    expect(await send(EMAIL)).toEqual({ is: "refused", error: "the mail server answered 550" });
    await new Promise<void>((done) => server!.close(() => done()));
    expect(await mailer(`smtp://${await start(refusing(451))}`)(EMAIL)).toMatchObject({ is: "unreachable" });
    const away = `smtp://127.0.0.1:${(server!.server.address() as AddressInfo).port}`;
    await new Promise<void>((done) => server!.close(() => done()));
    server = undefined;
    expect(await mailer(away)(EMAIL)).toEqual({ is: "unreachable", error: "no connection (ESOCKET)" });
  });

  it("says who of several refuses it, and asks only those again", async () => {
    let open = false;
    const host = await start({
      onRcptTo: ({ address }: { address: string }, _: unknown, done: (error?: Error) => void) =>
        address.startsWith("otto") && !open ? done(Object.assign(new Error("full"), { responseCode: 452 })) : done(),
    });
    const mail = createMailer({ url: `smtp://${host}`, from });
    const send = createSend(
      { post: async () => ({ status: 200 }), publish: async () => {}, mail },
      { now: () => T0, timeoutMs: 30_000 },
    );
    const message = { id: "msg_1", notices: [aNotice()] };
    const partly = { is: "partly", refusing: [{ address: "otto@city.example", why: "the mail server answered 452" }] };
    expect(await send(aTarget(EMAIL), message, never)).toEqual(partly);
    const only = ["otto@city.example"];
    expect(await send(aTarget(EMAIL), { ...message, only }, never)).toEqual(partly);
    open = true;
    expect(await send(aTarget(EMAIL), { ...message, only }, never)).toEqual({ is: "sent" });
    expect(received.map(({ to }) => to)).toEqual([["olga@city.example"], ["otto@city.example"]]);
    // Taken off the target meanwhile: nothing is owed.
    expect(await send(aTarget({ ...EMAIL, to: "olga@city.example" }), { ...message, only }, never)).toEqual({
      is: "sent",
    });
  });

  it("says what is missing when no mail server is set up", async () => {
    expect(await sender({})(EMAIL)).toMatchObject({
      is: "unreachable",
      error: expect.stringContaining("LAMPPOST_SMTP_URL"),
    });
  });
});
