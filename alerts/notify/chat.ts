import type { Notice } from "../../model/notice.ts";
import { digestSubject, type Words, wordsOf } from "./words.ts";

/** Notices shown in one chat message; the others are counted. */
const SHOWN_MAX = 15;
/** Slack's limits: 150 characters in a header, 3,000 in a section. */
const HEADER_MAX = 150;
const SECTION_MAX = 2_900;
/** Teams takes 28 KB in all: of many notices less is said of each. */
const DIGEST_TEXT_MAX = 400;

/** In Slack these three begin links, mentions and entities. */
export function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const cut = (text: string, max: number) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
const plain = (text: string, max: number) => ({ type: "plain_text", text: cut(text, max), emoji: false });

/** A message for an incoming webhook of Slack (or Mattermost): text for the notification, blocks for the channel. */
export function slackBody(notices: readonly Notice[], publicUrl: string | undefined): string {
  const shown = notices.slice(0, SHOWN_MAX).map((notice) => wordsOf(notice, publicUrl));
  const single = notices.length === 1;
  const subject = single ? shown[0]!.subject : digestSubject(notices);
  const blocks = shown.flatMap((words) => slackBlocks(words, single));
  const title = single ? [] : [{ type: "header", text: plain(subject, HEADER_MAX) }];
  const rest = notices.length - shown.length;
  const more = rest > 0 ? [{ type: "section", text: plain(`and ${rest} more`, SECTION_MAX) }] : [];
  return JSON.stringify({ text: escapeSlack(cut(subject, SECTION_MAX)), blocks: [...title, ...blocks, ...more] });
}

// Plain text wherever it holds: what sensors and rules are called must not become a link or a mention.
function slackBlocks({ subject, explanation, facts, link }: Words, whole: boolean): object[] {
  const head = whole
    ? { type: "header", text: plain(subject, HEADER_MAX) }
    : { type: "section", text: plain(subject, SECTION_MAX) };
  const text = [explanation, ...(whole ? facts.map(([name, value]) => `${name}: ${value}`) : [])].join("\n");
  const open = link && { type: "section", text: { type: "mrkdwn", text: `<${link}|Open the alert>` } };
  return [head, { type: "section", text: plain(text, SECTION_MAX) }, ...(open ? [open] : [])];
}

/** A message with an Adaptive Card, as the workflows of Microsoft Teams take it. */
export function teamsBody(notices: readonly Notice[], publicUrl: string | undefined): string {
  const shown = notices.slice(0, SHOWN_MAX).map((notice) => wordsOf(notice, publicUrl));
  const single = notices.length === 1;
  const subject = single ? shown[0]!.subject : digestSubject(notices);
  const rest = notices.length - shown.length;
  const body = [
    run(subject, { size: "large", weight: "bolder" }),
    ...shown.flatMap((words) => teamsBlocks(words, single)),
    ...(rest > 0 ? [run(`and ${rest} more`)] : []),
  ];
  const link = single ? shown[0]!.link : undefined;
  const actions = link === undefined ? [] : [{ type: "Action.OpenUrl", title: "Open the alert", url: link }];
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    fallbackText: subject,
    body,
    actions,
  };
  const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
  return JSON.stringify({ type: "message", attachments: [attachment] });
}

function teamsBlocks({ subject, explanation, facts }: Words, whole: boolean): object[] {
  const details = facts.map(([name, value]) => run(`${name}: ${value}`, { isSubtle: true }));
  if (whole) return [run(explanation), ...details];
  return [run(cut(subject, HEADER_MAX), { weight: "bolder" }), run(cut(explanation, DIGEST_TEXT_MAX))];
}

/** A rich text block: other than a text block it knows no Markdown, so nothing in the text can become a link. */
function run(text: string, look: object = {}): object {
  return { type: "RichTextBlock", inlines: [{ type: "TextRun", text: cut(text, SECTION_MAX), ...look }] };
}
