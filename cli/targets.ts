import { type Command, InvalidArgumentError, Option } from "commander";
import type { ChangedTarget, NewTarget, TargetView } from "../contract/target.ts";
import { AUDIENCES, SEVERITIES } from "../model/alert.ts";
import { TARGET_TYPES } from "../model/channels.ts";
import { LANGUAGES } from "../model/sentence.ts";
import { targetFields } from "../model/target.ts";
import { isTimeZone } from "../model/zone.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherIds, parseId } from "./options.ts";
import { show, table } from "./output.ts";

/** Whom alerts are told to, in which language and on whose clocks. */
export function register(program: Command): void {
  const target = program.command("target").description("whom alerts are told to: webhooks, chats, mailboxes, topics");
  withService(target.command("list").description("list them, and how it goes with them"), "target list").action(list);
  withFields(
    withService(
      target.command("add").description("add a target; a webhook's secret is printed, once"),
      "target add desk --type email --to desk@city.example --language de --time-zone Europe/Vienna",
    )
      .argument("<id>", "its id: a-z, 0-9 and -", parseId)
      .addOption(new Option("--type <type>", "how it is told").choices(TARGET_TYPES).makeOptionMandatory()),
  ).action(add);
  withFields(
    withService(
      target.command("set").description("change what is named of a target; the rest stays"),
      "target set desk --language es --time-zone Europe/Madrid",
    )
      .argument("<id>", "its id", parseId)
      .option("--enable", "tell it again")
      .addOption(new Option("--disable", "tell it nothing").conflicts("enable")),
  ).action(set);
  withService(target.command("test").description("tell it a made-up alert now"), "target test desk")
    .argument("<id>", "its id", parseId)
    .action(test);
  withService(target.command("remove").description("remove it and all that waits for it"), "target remove desk")
    .argument("<id>", "its id", parseId)
    .action(remove);
}

const CITY = "city";

function withFields(command: Command): Command {
  return command
    .option("--name <name>", "a name for people")
    .option("--address <url>", "of a webhook or chat")
    .option("--to <addresses>", "mail addresses with commas, or a topic alerts/to/<name>")
    .addOption(new Option("--language <language>", "in which its messages are written").choices([...LANGUAGES, CITY]))
    .option("--time-zone <zone>", `whose times they state, such as Europe/Vienna; ${CITY} for the city's`, parseZone)
    .addOption(new Option("--audience <audience>", "whose alerts").choices(AUDIENCES))
    .addOption(new Option("--severity-min <severity>", "from which severity on").choices(SEVERITIES))
    .option("--district <ids>", "of these districts; commas between several", gatherIds)
    .option("--rule <ids>", "of these rules", gatherIds);
}

function parseZone(text: string): string {
  if (text !== CITY && !isTimeZone(text))
    throw new InvalidArgumentError(`A time zone such as Europe/Vienna, or ${CITY}, was expected.`);
  return text;
}

type Fields = Pick<NewTarget, "to" | "audience" | "severityMin"> & {
  readonly name?: string;
  readonly address?: string;
  readonly language?: NonNullable<NewTarget["language"]> | typeof CITY;
  readonly timeZone?: string;
  readonly district?: readonly string[];
  readonly rule?: readonly string[];
};

/** What was given of a target. `city`: nothing of its own. */
function given({ name, address, to, audience, severityMin, district, rule, language, timeZone }: Fields) {
  const all = { name, url: address, to, audience, severityMin, districts: district, rules: rule, language, timeZone };
  const named = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named.map(([field, value]) => [field, value === CITY ? undefined : value]));
}

async function add(id: string, options: ServiceOptions & Fields & Pick<NewTarget, "type">): Promise<void> {
  const body = { name: id, ...given(options), id, type: options.type } as NewTarget;
  const added = await findService(options).client.post("/targets", body);
  const secret = added.secret === undefined ? "" : `\nsecret  ${added.secret}   (shown once)`;
  show(options, added, () => `target ${id} is added${secret}`);
}

type Switch = { readonly enable?: true; readonly disable?: true };

async function set(id: string, options: ServiceOptions & Fields & Switch): Promise<void> {
  const { client } = findService(options);
  const former = await client.get(`/targets/${id}`);
  const enabled = options.enable ? true : options.disable ? false : former.enabled;
  const changed = await client.put(`/targets/${id}`, { ...bodyOf(former), ...given(options), enabled });
  show(options, changed, () => `target ${id}: ${wordsOf(changed)}`);
}

/** What a target was made with, but for its secrets: left out, they stay. */
function bodyOf(target: TargetView): ChangedTarget {
  const own = Object.keys(targetFields).filter((field) => field !== "url" && field !== "secret");
  return Object.fromEntries(own.map((field) => [field, target[field as keyof TargetView]])) as ChangedTarget;
}

const wordsOf = ({ type, language, timeZone, enabled }: TargetView) =>
  `${type}, language ${language ?? CITY}, time zone ${timeZone ?? CITY}, ${enabled ? "on" : "off"}`;

async function list(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/targets", { limit: 1000 });
  const text = () =>
    table(
      ["target", "name", "type", "language", "time zone", "on", "waiting", "last error"],
      rows.map(({ id, name, type, language, timeZone, enabled, pending, lastError, disabledBecause }) => [
        ...[id, name, type, language ?? CITY, timeZone ?? CITY, enabled ? "yes" : "no"],
        pending,
        disabledBecause ?? lastError,
      ]),
    );
  show(options, rows, () => (rows.length === 0 ? "no targets" : text()));
}

async function test(id: string, options: ServiceOptions): Promise<void> {
  const told = await findService(options).client.post(`/targets/${id}/test`, {});
  show(options, told, () => (told.sent ? `target ${id} was told` : `target ${id} could not be told: ${told.error}`));
  if (!told.sent) process.exitCode = 1;
}

async function remove(id: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/targets/${id}`);
  show(options, { removed: id }, () => `target ${id} is removed`);
}
