import { PACKS } from "../../messages/messages.ts";
import type { Notice } from "../../model/alert.ts";
import {
  type Channel,
  cut,
  digestSubject,
  type Failure,
  JSON_HEADERS,
  SECTION_MAX,
  SHOWN_MAX,
  type Telling,
  type Words,
  wordsOf,
} from "./channel.ts";

/** An incoming webhook of Slack, or of Mattermost. */
export const slack: Channel = {
  send: (target, { notices }, { post, telling }) => post(target, slackBody(notices, telling), JSON_HEADERS, readAnswer),
};

/** What was taken is answered with "ok" (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). */
function readAnswer(body: string): Failure | undefined {
  if (body.trim() === "ok") return undefined;
  // The page of a proxy, or of a sign-in: nothing of ours was read.
  if (body.trimStart().startsWith("<")) return { is: "unreachable", error: "answered with a page instead of ok" };
  return { is: "refused", error: "answered something else than ok" };
}

/** Slack's limits: 150 characters in a header, 3,000 in a section (`SECTION_MAX`). */
const HEADER_MAX = 150;

/** In Slack these three begin links, mentions and entities. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const plain = (text: string, max: number) => ({ type: "plain_text", text: cut(text, max), emoji: false });

/** A message for an incoming webhook of Slack (or Mattermost): text for the notification, blocks for the channel. */
export function slackBody(notices: readonly Notice[], telling: Telling): string {
  const shown = notices.slice(0, SHOWN_MAX).map((notice) => wordsOf(notice, telling));
  const { more, open } = PACKS[telling.reader.locale].notices;
  const single = notices.length === 1;
  const subject = single ? shown[0]!.subject : digestSubject(notices, telling);
  const blocks = shown.flatMap((words) => slackBlocks(words, single, open));
  const title = single ? [] : [{ type: "header", text: plain(subject, HEADER_MAX) }];
  const rest = notices.length - shown.length;
  const others = rest > 0 ? [{ type: "section", text: plain(more(rest), SECTION_MAX) }] : [];
  return JSON.stringify({ text: escapeSlack(cut(subject, SECTION_MAX)), blocks: [...title, ...blocks, ...others] });
}

// Plain text wherever it holds: what sensors and rules are called must not become a link or a mention.
function slackBlocks({ subject, explanation, facts, link }: Words, whole: boolean, toOpen: string): object[] {
  const head = whole
    ? { type: "header", text: plain(subject, HEADER_MAX) }
    : { type: "section", text: plain(subject, SECTION_MAX) };
  const text = [explanation, ...(whole ? facts.map(([name, value]) => `${name}: ${value}`) : [])].join("\n");
  const open = link && { type: "section", text: { type: "mrkdwn", text: `<${link}|${toOpen}>` } };
  return [head, { type: "section", text: plain(text, SECTION_MAX) }, ...(open ? [open] : [])];
}
