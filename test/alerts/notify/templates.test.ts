import { describe, expect, it } from "vitest";
import { mailOf } from "../../../alerts/channels/email.ts";
import { slackBody } from "../../../alerts/channels/slack.ts";
import { teamsBody } from "../../../alerts/channels/teams.ts";
import { aNotice } from "./world.ts";

const URL_ = "https://lamppost.city.example/";
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

describe("the message for Slack", () => {
  it("says severity, rule and place first, and why", () => {
    const { text, blocks } = JSON.parse(slackBody([aNotice()], URL_));
    expect(text).toBe("[warning] NO2 is high: no2-1, north");
    expect(blocks[0]).toMatchObject({ type: "header", text: { type: "plain_text", text } });
    expect(blocks[1].text.text).toContain("NO2 was 210 µg/m³ for an hour; the limit is 200.\nWhere: no2-1, north");
    expect(blocks[2].text).toEqual({
      type: "mrkdwn",
      text: "<https://lamppost.city.example/alerts/al-1|Open the alert>",
    });
    expect(JSON.parse(slackBody([aNotice()], undefined)).blocks).toHaveLength(2);
  });

  it("no name becomes a mention, a link or a heading", () => {
    const { text, blocks } = JSON.parse(slackBody([evil], URL_)) as { text: string; blocks: Block[] };
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
      const { blocks } = JSON.parse(slackBody(notices, URL_)) as { blocks: Block[] };
      expect(blocks.length).toBeLessThanOrEqual(50);
      for (const { type, text } of blocks)
        expect(text!.text.length).toBeLessThanOrEqual(type === "header" ? 150 : 3_000);
    }
    expect(slackBody(many, URL_)).toContain("40 notices: 20 new, 20 resolved");
    expect(slackBody(many, URL_)).toContain("and 25 more");
  });
});

describe("the card for Teams", () => {
  it("is an Adaptive Card whose texts know no Markdown", () => {
    const { type, attachments } = JSON.parse(teamsBody([evil], URL_));
    expect(type).toBe("message");
    expect(attachments[0].contentType).toBe("application/vnd.microsoft.card.adaptive");
    const { body, actions } = attachments[0].content;
    expect(new Set(body.map((block: Block) => block.type))).toEqual(new Set(["RichTextBlock"]));
    expect(actions).toEqual([
      { type: "Action.OpenUrl", title: "Open the alert", url: "https://lamppost.city.example/alerts/al-1" },
    ]);
  });

  it("stays within the 28 KB that Teams takes", () => {
    expect(Buffer.byteLength(teamsBody(many, URL_))).toBeLessThan(28_000);
    const long = aNotice({ explanation: "x".repeat(10_000) });
    expect(
      Buffer.byteLength(
        teamsBody(
          Array.from({ length: 100 }, () => long),
          URL_,
        ),
      ),
    ).toBeLessThan(28_000);
  });
});

describe("the mail", () => {
  it("has severity, rule and place in the subject, and all of it in the text", () => {
    const mail = mailOf("msg_1", ["olga@city.example"], [aNotice()], URL_);
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
    const subject = (what: Parameters<typeof aNotice>[1]) => mailOf("m", [], [aNotice({}, what)]).subject;
    expect(subject("resolved")).toMatch(/^\[resolved, warning\]/);
    expect(subject("retracted")).toMatch(/^\[withdrawn, warning\]/);
    expect(subject("escalated")).toMatch(/^\[escalated, warning\]/);
  });

  it("no name can add a header or break a line", () => {
    const { subject, text } = mailOf("m", [], [evil]);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text.split("\n").filter((line) => line.startsWith("Bcc"))).toEqual([]);
  });

  it("tells a digest as one mail", () => {
    const { subject, text } = mailOf("m", [], many);
    expect(subject).toBe("40 notices: 20 new, 20 resolved");
    expect(text.match(/^Alert: al-/gm)).toHaveLength(40);
  });
});
