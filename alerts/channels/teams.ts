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

/** A workflow of Microsoft Teams. */
export const teams: Channel = {
  send: (target, { notices }, { post, telling }) => post(target, teamsBody(notices, telling), JSON_HEADERS, readAnswer),
};

/** A workflow answers 202 and nothing; a connector 200 and "1", or 200 and why the message was not delivered. */
function readAnswer(body: string): Failure | undefined {
  if (body.trimStart().startsWith("<")) return { is: "unreachable", error: "answered with a page" };
  if (!/\b(?:error|failed|failure|exception)\b/i.test(body)) return undefined;
  const status = Number(/HTTP error (\d{3})/i.exec(body)?.[1]);
  const code = Number.isNaN(status) ? "" : ` (${status})`;
  const isPassing = status === 429 || status >= 500;
  return { is: isPassing ? "unreachable" : "refused", error: `answered that the message was not delivered${code}` };
}

/** Teams takes 28 KB in all: of many notices less is said of each. */
const DIGEST_SUBJECT_MAX = 150;
const DIGEST_TEXT_MAX = 400;

/** A message with an Adaptive Card, as the workflows of Microsoft Teams take it. */
export function teamsBody(notices: readonly Notice[], telling: Telling): string {
  const shown = notices.slice(0, SHOWN_MAX).map((notice) => wordsOf(notice, telling));
  const { more, open } = PACKS[telling.reader.locale].notices;
  const single = notices.length === 1;
  const subject = single ? shown[0]!.subject : digestSubject(notices, telling);
  const rest = notices.length - shown.length;
  const body = [
    run(subject, { size: "large", weight: "bolder" }),
    ...shown.flatMap((words) => teamsBlocks(words, single)),
    ...(rest > 0 ? [run(more(rest))] : []),
  ];
  const link = single ? shown[0]!.link : undefined;
  const actions = link === undefined ? [] : [{ type: "Action.OpenUrl", title: open, url: link }];
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
  return [run(cut(subject, DIGEST_SUBJECT_MAX), { weight: "bolder" }), run(cut(explanation, DIGEST_TEXT_MAX))];
}

/** A rich text block: other than a text block it knows no Markdown, so nothing in the text can become a link. */
function run(text: string, look: object = {}): object {
  return { type: "RichTextBlock", inlines: [{ type: "TextRun", text: cut(text, SECTION_MAX), ...look }] };
}
