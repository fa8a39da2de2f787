import { createHash } from "node:crypto";
import type { Notice } from "../../model/alert.ts";
import { PLAIN_BYTES_MAX } from "../notify/web-push.ts";
import { type Channel, cut, digestSubject, type Telling, wordsOf } from "./channel.ts";

/** Characters that a phone shows of it. */
const TITLE_MAX = 120;
const BODY_MAX = 240;

/** The browsers of one person, by the push services they have chosen. */
export const push: Channel = {
  async send(target, { notices, only }, { push: toBrowsers, telling }) {
    if (!toBrowsers) return { is: "refused", error: "this service sends no push messages" };
    return toBrowsers({
      account: target.to!,
      payload: payloadOf(notices, telling),
      urgency: urgencyOf(notices),
      topic: topicOf(notices),
      ...(only && { only }),
    });
  },
};

/** As little as says what is wrong where: the rest is a press away, behind the sign-in. */
export function payloadOf(notices: readonly Notice[], telling: Telling): Buffer {
  const [first] = notices;
  const single = notices.length === 1;
  const words = wordsOf(first!, telling);
  const message = {
    title: cut(single ? words.subject : digestSubject(notices, telling), TITLE_MAX),
    body: single ? cut(words.explanation, BODY_MAX) : "",
    // One notification of an alert: its end takes the place of its beginning.
    tag: single ? first!.alert.id : "digest",
    path: single && first!.alert.id !== "al-test" ? `/alerts/${encodeURIComponent(first!.alert.id)}` : "/",
    lang: telling.reader.locale,
    again: first!.what === "firing" || first!.what === "escalated",
  };
  const bytes = Buffer.from(JSON.stringify(message));
  return bytes.length <= PLAIN_BYTES_MAX ? bytes : Buffer.from(JSON.stringify({ ...message, body: "" }));
}

const URGENCY = { critical: "high", warning: "normal", info: "low" } as const;

/** RFC 8030, 5.3: a phone that saves its battery gets the high ones at once. */
function urgencyOf(notices: readonly Notice[]) {
  const severities = notices.map(({ alert }) => alert.severity);
  const worst = (["critical", "warning", "info"] as const).find((one) => severities.includes(one));
  return URGENCY[worst ?? "info"];
}

/** RFC 8030, 5.4: what waits for a phone that is off is replaced by what comes later about the same alert. */
function topicOf(notices: readonly Notice[]): string | undefined {
  if (notices.length !== 1) return undefined;
  return createHash("sha256").update(notices[0]!.alert.id).digest("base64url").slice(0, 32);
}
