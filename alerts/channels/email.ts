import { createTransport } from "nodemailer";
import type { Notice } from "../../model/alert.ts";
import type { SmtpSettings } from "../../model/notify-settings.ts";
import { addressesOf } from "../../model/target.ts";
import {
  type Channel,
  digestSubject,
  type Mail,
  oneLine,
  type PartlySent,
  type SendMail,
  type Telling,
  type Words,
  wordsOf,
} from "./channel.ts";

/** Mailboxes, by the city's own mail server. */
export const email: Channel = {
  async send(target, { id, notices, only }, { mail, telling }) {
    if (!mail) return { is: "unreachable", error: "no mail server is set up (LAMPPOST_SMTP_URL)" };
    const addresses = addressesOf(target.to!);
    // Those that were taken off the target meanwhile are owed nothing.
    const to = only ? addresses.filter((address) => only.includes(address)) : addresses;
    if (to.length === 0) return { is: "sent" };
    try {
      const refusing = await mail(mailOf(id, to, notices, telling));
      return refusing.length === 0 ? { is: "sent" } : { is: "partly", refusing };
    } catch (error) {
      // The others have it: that these refuse it again says nothing of the target.
      const refusing = only ? refusingOf(error as Rejected) : [];
      if (refusing.length === 0) throw error;
      return { is: "partly", refusing };
    }
  },
};

/** What nodemailer says of the addresses that the mail server did not take. */
type Rejected = {
  readonly rejected?: readonly (string | { readonly address: string })[];
  readonly rejectedErrors?: readonly { readonly recipient?: string; readonly responseCode?: number }[];
};

function refusingOf({ rejected = [], rejectedErrors = [] }: Rejected): PartlySent["refusing"] {
  return rejected.map((one) => {
    const address = typeof one === "string" ? one : one.address;
    const code = rejectedErrors.find(({ recipient }) => recipient === address)?.responseCode;
    return { address, why: `the mail server answered ${code ?? "that it does not take it"}` };
  });
}

const SUBJECT_MAX = 200;
const TIMEOUT_MS = 10_000;

export function mailOf(id: string, to: readonly string[], notices: readonly Notice[], telling: Telling): Mail {
  const words = notices.map((notice) => wordsOf(notice, telling));
  const single = words.length === 1;
  const subject = single ? words[0]!.subject : digestSubject(notices, telling);
  return {
    to,
    subject: oneLine(subject).slice(0, SUBJECT_MAX),
    text: words.map((one) => paragraph(one, !single)).join("\n\n"),
    messageId: `<${id}@lamppost>`,
    ...(single ? { thread: `<${threadOf(notices[0]!, telling)}@lamppost>` } : {}),
  };
}

const threadOf = ({ alert }: Notice, { incidentOf }: Telling) => incidentOf?.(alert.id)?.id ?? alert.id;

function paragraph({ subject, explanation, facts, link }: Words, withSubject: boolean): string {
  const lines = [explanation, ...facts.map(([name, value]) => `${name}: ${value}`), ...(link ? [link] : [])];
  return [...(withSubject ? [subject] : []), ...lines].join("\n");
}

/**
 * `url`: smtp://user:password@host:587 or smtps://. Every mail has a connection of its own, so that nothing is held open. A password
 * goes over TLS only (STARTTLS for smtp://, with a certificate that this machine trusts), unless `plaintextAllowed`.
 */
export function createMailer(settings: SmtpSettings): SendMail {
  const { url, from, plaintextAllowed = false } = settings;
  const address = new URL(url);
  const isSecret = address.username !== "" || address.password !== "";
  // In the address, because there it would win over what stands beside it.
  if (address.protocol === "smtp:" && isSecret && !plaintextAllowed) address.searchParams.set("requireTLS", "true");
  const transport = createTransport(
    {
      url: address.href,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return async ({ to, subject, text, messageId, thread }) => {
    const references = thread === undefined ? {} : { references: thread, inReplyTo: thread };
    // No answers from holiday robots.
    const headers = { "Auto-Submitted": "auto-generated" };
    return refusingOf(await transport.sendMail({ to: [...to], subject, text, messageId, ...references, headers }));
  };
}
