import { describe, expect, it } from "vitest";
import type { Telling } from "../../../alerts/channels/channel.ts";
import { mailOf } from "../../../alerts/channels/email.ts";
import { slackBody } from "../../../alerts/channels/slack.ts";
import { teamsBody } from "../../../alerts/channels/teams.ts";
import { payloadOf } from "../../../alerts/channels/webhook.ts";
import { say } from "../../../model/sentence.ts";
import { aNotice } from "./world.ts";

const telling: Telling = { reader: { locale: "en", zone: "UTC" }, publicUrl: "https://lamppost.city.example/" };
const { reader } = telling;
/** What somebody who names a sensor or writes a rule might try. */
const EVIL =
  "<!channel> <https://evil.example|click> [x](https://evil.example) *bold* <b>&amp; {{DATE(1)}}\r\nBcc: all@city.example";
const evil = aNotice({
  rule: { id: "r", version: "1", title: EVIL, source: EVIL },
  subject: { sensorId: EVIL, district: EVIL },
  explanation: EVIL,
  verdict: { is: "event", why: EVIL },
});
const many = Array.from({ length: 40 }, (_, n) => aNotice({ id: `al-${n}` }, n % 2 === 0 ? "firing" : "resolved"));

type Block = { type: string; text?: { type: string; text: string } };

describe("a message about an alert of an incident", () => {
  const within: Telling = { ...telling, incidentOf: () => ({ id: "al-0", alerts: 6, firing: 3 }) };

  it.each([
    ["en", "Incident: 6 alerts of one cause, 3 of them firing"],
    ["de", "Vorfall: 6 Meldungen mit einer Ursache, davon 3 aktiv"],
    ["es", "Incidente: 6 alertas con una misma causa, 3 de ellas activas"],
  ] as const)("says how many there are: %s", (locale, words) => {
    const mail = mailOf("m", ["a@city.example"], [aNotice()], { ...within, reader: { locale, zone: "UTC" } });
    expect(mail.text).toContain(words);
  });

  it("lies with the others in a mailbox", () => {
    expect(mailOf("m", ["a@city.example"], [aNotice()], within).thread).toBe("<al-0@lamppost>");
    expect(mailOf("m", ["a@city.example"], [aNotice()], telling).thread).toBe("<al-1@lamppost>");
  });

  it("says nothing of an incident of one", () => {
    const alone: Telling = { ...telling, incidentOf: () => ({ id: "al-1", alerts: 1, firing: 1 }) };
    expect(slackBody([aNotice()], alone)).not.toContain("Incident");
  });
});

describe("the message for Slack", () => {
  it("says severity, rule and place first, and why", () => {
    const { text, blocks } = JSON.parse(slackBody([aNotice()], telling));
    expect(text).toBe("[warning] NO2 is high: no2-1, north");
    expect(blocks[0]).toMatchObject({ type: "header", text: { type: "plain_text", text } });
    expect(blocks[1].text.text).toContain("NO2 was 210 µg/m³ for an hour; the limit is 200.\nWhere: no2-1, north");
    expect(blocks[2].text).toEqual({
      type: "mrkdwn",
      text: "<https://lamppost.city.example/alerts/al-1|Open the alert>",
    });
    expect(JSON.parse(slackBody([aNotice()], { reader })).blocks).toHaveLength(2);
  });

  it("no name becomes a mention, a link or a heading", () => {
    const { text, blocks } = JSON.parse(slackBody([evil], telling)) as { text: string; blocks: Block[] };
    expect(text).not.toMatch(/[<>]/);
    const marked = blocks.filter((block) => block.text?.type === "mrkdwn").map((block) => block.text!.text);
    expect(marked).toEqual(["<https://lamppost.city.example/alerts/al-1|Open the alert>"]);
  });

  it("keeps Slack's limits with many and long notices", () => {
    const long = aNotice({
      explanation: "x".repeat(10_000),
      rule: { id: "r", version: "1", title: "y".repeat(500), source: "z" },
    });
    for (const notices of [many, [long], Array.from({ length: 100 }, () => long)]) {
      const { blocks } = JSON.parse(slackBody(notices, telling)) as { blocks: Block[] };
      expect(blocks.length).toBeLessThanOrEqual(50);
      for (const { type, text } of blocks)
        expect(text!.text.length).toBeLessThanOrEqual(type === "header" ? 150 : 3_000);
    }
    expect(slackBody(many, telling)).toContain("40 notices: 20 new, 20 resolved");
    expect(slackBody(many, telling)).toContain("and 25 more");
  });
});

describe("the card for Teams", () => {
  it("is an Adaptive Card whose texts know no Markdown", () => {
    const { type, attachments } = JSON.parse(teamsBody([evil], telling));
    expect(type).toBe("message");
    expect(attachments[0].contentType).toBe("application/vnd.microsoft.card.adaptive");
    const { body, actions } = attachments[0].content;
    expect(new Set(body.map((block: Block) => block.type))).toEqual(new Set(["RichTextBlock"]));
    expect(actions).toEqual([
      { type: "Action.OpenUrl", title: "Open the alert", url: "https://lamppost.city.example/alerts/al-1" },
    ]);
  });

  it("stays within the 28 KB that Teams takes", () => {
    expect(Buffer.byteLength(teamsBody(many, telling))).toBeLessThan(28_000);
    const long = aNotice({ explanation: "x".repeat(10_000) });
    expect(
      Buffer.byteLength(
        teamsBody(
          Array.from({ length: 100 }, () => long),
          telling,
        ),
      ),
    ).toBeLessThan(28_000);
  });
});

describe("the mail", () => {
  it("has severity, rule and place in the subject, and all of it in the text", () => {
    const mail = mailOf("msg_1", ["olga@city.example"], [aNotice()], telling);
    expect(mail.subject).toBe("[warning] NO2 is high: no2-1, north");
    expect(mail.text).toBe(
      [
        "NO2 was 210 µg/m³ for an hour; the limit is 200.",
        "Where: no2-1, north",
        "Since: 2026-11-21 00:00 UTC",
        "Limit from: EU 2024/2881",
        "Alert: al-1",
        "https://lamppost.city.example/alerts/al-1",
      ].join("\n"),
    );
    expect(mail.messageId).toBe("<msg_1@lamppost>");
  });

  it("says what happened to it", () => {
    const subject = (what: Parameters<typeof aNotice>[1]) => mailOf("m", [], [aNotice({}, what)], telling).subject;
    expect(subject("resolved")).toMatch(/^\[resolved, warning\]/);
    expect(subject("retracted")).toMatch(/^\[withdrawn, warning\]/);
    expect(subject("escalated")).toMatch(/^\[escalated, warning\]/);
  });

  it("no name can add a header or break a line", () => {
    const { subject, text } = mailOf("m", [], [evil], telling);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text.split("\n").filter((line) => line.startsWith("Bcc"))).toEqual([]);
  });

  it("tells a digest as one mail", () => {
    const { subject, text } = mailOf("m", [], many, telling);
    expect(subject).toBe("40 notices: 20 new, 20 resolved");
    expect(text.match(/^Alert: al-/gm)).toHaveLength(40);
  });
});

describe("a target's language and clocks", () => {
  const at = Date.parse("2026-11-21T13:54:00Z");
  const limit = { value: 640, of: "current", share: 1.2, tag: "ratedCurrent" };
  const says = {
    title: say("text", { text: "Trafo am Markt überlastet" }),
    explanation: [
      say("threshold", {
        metric: "current",
        where: "Trafo 3",
        value: { value: 705, of: "current" },
        at: at + 30 * 60_000,
        side: "above",
        limit,
        since: at,
      }),
    ],
    verdict: say("verdict.moved", { count: 2, of: 3, direction: "rise", level: { value: 400, of: "current" } }),
  };
  const overload = aNotice(
    {
      says,
      kind: "energy",
      metric: "current",
      value: 705,
      startedAt: at,
      subject: { sensorId: "trafo-3", district: "centre" },
      verdict: { is: "event", why: "2 of 3 neighbours rose with it, to a median of 400 A." },
    },
    "reminder",
  );
  const now = at + 70 * 60_000;
  const current: Telling["current"] = (kind, sensorId, metric) =>
    kind === "energy" && sensorId === "trafo-3" && metric === "current" ? { value: 640, at: now - 60_000 } : undefined;
  const mailIn = (locale: "en" | "de" | "es") =>
    mailOf("m", [], [overload], { reader: { locale, zone: "Europe/Berlin", now }, current });

  it("say what it is by now, and for how long", () => {
    expect(mailIn("en").text).toContain(
      "Current at Trafo 3 was 705 A at 15:24, above 640 A (120 % of its rated current) since 14:54. Now 640 A, for 1 h 10 min so far.\nWhere: trafo-3, centre\nSince: 14:54\nVerdict: event: 2 of 3 neighbours rose with it, to a median of 400 A.",
    );
    expect(mailIn("de")).toMatchObject({ subject: "[weiterhin, Warnung] Trafo am Markt überlastet: trafo-3, centre" });
    expect(mailIn("de").text).toContain(
      "Stromstärke, Trafo 3: 705 A um 15:24 Uhr, seit 14:54 Uhr über der Grenze von 640 A (120 % des Bemessungsstroms). Jetzt 640 A, Dauer bisher 1 h 10 min.\nOrt: trafo-3, centre\nSeit: 14:54 Uhr\nBeurteilung: Ereignis: 2 von 3 Nachbarn stiegen mit, auf einen Median von 400 A.",
    );
    expect(mailIn("es").text).toContain("Ahora 640 A; dura ya 1 h 10 min.\nLugar: trafo-3, centre\nDesde: 14:54");
    expect(mailIn("es").text).toContain("Horas de: Europe/Berlin");
  });

  it("hold for chats and programs", () => {
    const german: Telling = { reader: { locale: "de", zone: "UTC", now }, publicUrl: telling.publicUrl };
    expect(slackBody([overload], german)).toContain("|Meldung öffnen>");
    expect(teamsBody([overload, overload], german)).toContain("2 Meldungen: 2 weiterhin");
    expect(JSON.parse(payloadOf([overload], german))).toMatchObject({
      data: { says, explanation: overload.alert.explanation },
      text: { language: "de", explanation: expect.stringMatching(/^Stromstärke, Trafo 3: 705 A um 14:24 Uhr/) },
    });
  });
});
