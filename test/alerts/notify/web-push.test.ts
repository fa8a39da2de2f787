import { describe, expect, it, vi } from "vitest";
import { payloadOf } from "../../../alerts/channels/push.ts";
import { createPushSender } from "../../../alerts/notify/browsers.ts";
import { createAllowList, createHttpPost } from "../../../alerts/notify/http-post.ts";
import { createNotifier } from "../../../alerts/notify/notifier.ts";
import { encryptPush } from "../../../alerts/notify/web-push.ts";
import { SILENT } from "../../../model/log.ts";
import { openRecords } from "../../../store/records.ts";
import { T0 } from "../builders.ts";
import { aBrowser, claimsOf, startPushServer } from "./push-server.ts";
import { aNotice, aTarget } from "./world.ts";

describe("the encryption of push messages", () => {
  it("gives the example of RFC 8291, appendix A, to the byte", () => {
    const keys = {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
    };
    const chance = {
      privateKey: Buffer.from("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", "base64url"),
      salt: Buffer.from("DGv6ra1nlYgDCS1FRnbzlw", "base64url"),
    };
    const body = encryptPush(keys, Buffer.from("When I grow up, I want to be a watermelon"), chance);
    expect(body.toString("base64url")).toBe(
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    );
  });

  it("is read by the browser it is for, and by no other", () => {
    const [one, other] = [aBrowser(), aBrowser()];
    const body = encryptPush(one.keys, Buffer.from("Sirene an Säule 12 €"));
    expect(one.open(body)).toBe("Sirene an Säule 12 €");
    expect(() => other.open(body)).toThrow();
  });
});

describe("what a push message says", () => {
  it("is short, whatever the alert says, and leads to it", () => {
    const telling = { reader: { locale: "en", zone: "UTC", now: T0 } } as const;
    const notice = aNotice({
      explanation: "x".repeat(5_000),
      rule: { ...aNotice().alert.rule, title: "ä".repeat(900) },
    });
    const bytes = payloadOf([notice], telling);
    expect(bytes.length).toBeLessThan(1_000);
    expect(JSON.parse(bytes.toString())).toMatchObject({ tag: "al-1", path: "/alerts/al-1", again: true, lang: "en" });
    const many = JSON.parse(payloadOf([notice, aNotice({ id: "al-2" })], telling).toString());
    expect(many).toMatchObject({ path: "/", body: "", tag: "digest" });
  });
});

describe("telling browsers", () => {
  const message = { account: "kim", payload: Buffer.from("hello"), urgency: "high", topic: "t1" } as const;

  async function start(allow = ["127.0.0.1"]) {
    const server = await startPushServer();
    const records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    for (const name of ["kim", "lee"])
      records.credentials.add({ account: { role: "operator", name }, secretHash: name, createdAt: T0, createdBy: "x" });
    const browsers = [aBrowser(), aBrowser()];
    const ids = browsers.map(({ keys }, i) =>
      records.push.add({ account: "kim", endpoint: `${server.url}/send/${i}`, keys, label: `b${i}`, createdAt: T0 }),
    );
    const post = createHttpPost({ allow: createAllowList(allow) });
    const send = createPushSender({ records, post, contact: "mailto:city@example.org", now: () => T0, log: SILENT });
    const tell = (more = {}) => send({ ...message, ...more }, AbortSignal.timeout(5_000));
    const close = () => {
      server.close();
      records.close();
    };
    return { server, records, browsers, ids, tell, close };
  }

  it("sends each of them its own, signed with the keys of this service", async () => {
    const { server, records, browsers, tell, close } = await start();
    expect(await tell()).toEqual({ is: "sent" });
    expect(server.pushed.map(({ path }) => path).sort()).toEqual(["/send/0", "/send/1"]);
    for (const { path, headers, body } of server.pushed) {
      expect(browsers[Number(path.at(-1))]!.open(body)).toBe("hello");
      expect(headers).toMatchObject({ ttl: "86400", urgency: "high", topic: "t1", "content-encoding": "aes128gcm" });
      const { claims, key } = claimsOf(headers.authorization!);
      expect(claims).toEqual({ aud: server.url, exp: T0 / 1_000 + 43_200, sub: "mailto:city@example.org" });
      expect(key).toBe(records.push.publicKey());
    }
    close();
  });

  it.each([404, 410])("forgets one that is not there any more (%i), and says so in the audit log", async (status) => {
    const { server, records, ids, tell, close } = await start();
    server.answerWith((path) => (path === "/send/0" ? status : 201));
    expect(await tell()).toEqual({ is: "sent" });
    expect(records.push.list("kim").map(({ id }) => id)).toEqual([ids[1]]);
    expect(records.audit.list(5).items.map(({ what }) => what)).toContain("push.forget");
    server.answerWith(() => status);
    expect(await tell()).toMatchObject({ is: "refused" });
    expect(records.push.list("kim")).toEqual([]);
    close();
  });

  it("tells again only those that could not be reached", async () => {
    const { server, ids, tell, close } = await start();
    server.answerWith((path) => (path === "/send/1" ? 503 : 201));
    const outcome = await tell();
    expect(outcome).toEqual({
      is: "partly",
      refusing: [{ address: String(ids[1]), why: "the push service answered 503" }],
    });
    server.answerWith(() => 201);
    server.pushed.length = 0;
    expect(await tell({ only: [String(ids[1])] })).toEqual({ is: "sent" });
    expect(server.pushed.map(({ path }) => path)).toEqual(["/send/1"]);
    server.answerWith(() => 503);
    expect(await tell()).toMatchObject({ is: "unreachable" });
    close();
  });

  it("are told the end of what they were told the beginning of, as every target is", async () => {
    const { server, records, browsers, close } = await start();
    const post = createHttpPost({ allow: createAllowList(["127.0.0.1"]) });
    const push = createPushSender({ records, post, contact: undefined, now: () => T0, log: SILENT });
    const ports = { post, publish: async () => {}, push };
    const notifier = createNotifier({ records, ports, now: () => T0, random: () => 1, log: SILENT });
    const { url: _, ...target } = aTarget({ id: "push:kim", type: "push", to: "kim" });
    records.targets.put(target);
    notifier.start();
    const heard = () =>
      server.pushed.filter(({ path }) => path === "/send/0").map(({ body }) => JSON.parse(browsers[0]!.open(body)));
    records.transaction(() => notifier.enqueue(aNotice()));
    await vi.waitFor(() => expect(heard()).toHaveLength(1));
    records.transaction(() => notifier.enqueue(aNotice({}, "resolved", T0 + 60_000)));
    await vi.waitFor(() => expect(heard()).toHaveLength(2));
    const [began, ended] = heard();
    expect(began).toMatchObject({ tag: "al-1", again: true });
    expect(ended).toMatchObject({ tag: "al-1", again: false });
    expect(ended.title).not.toBe(began.title);
    await notifier.stop();
    close();
  });

  it("asks no address inside of the network, unless that is allowed", async () => {
    const { server, tell, close } = await start([]);
    expect(await tell()).toMatchObject({ is: "refused", error: expect.stringContaining("LAMPPOST_NOTIFY_ALLOW") });
    expect(server.pushed).toEqual([]);
    close();
  });

  it("keeps its keys for the life of the data folder", () => {
    const records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
    expect(records.push.publicKey()).toBe(records.push.publicKey());
    expect(Buffer.from(records.push.publicKey(), "base64url")).toHaveLength(65);
    records.close();
  });
});
