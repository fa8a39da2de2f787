import type { Command } from "commander";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseCount } from "./options.ts";
import { show, table } from "./table.ts";

type Item = {
  readonly id: number;
  readonly reason: string;
  readonly detail: string;
  readonly receivedAt: string;
  readonly source: string;
  readonly topic: string;
  readonly redrivenAt?: string;
  readonly payload?: { readonly text?: string; readonly base64?: string };
};

export function register(program: Command): void {
  const quarantine = program.command("quarantine").description("messages that could not become readings");
  withService(
    quarantine.command("list").description("list them, the newest first"),
    "quarantine list --reason out_of_range",
  )
    .option("--reason <reason>", "of one reason")
    .option("--sensor <sensor>", "of one sensor")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .action(list);
  withService(quarantine.command("show").description("one of them, with its payload"), "quarantine show 17")
    .argument("<id>", "its number in the list", parseCount)
    .action(one);
  withService(
    quarantine.command("redrive").description("send them through again, after a fix"),
    "quarantine redrive --reason unknown_sensor",
  )
    .argument("[ids...]", "their numbers")
    .option("--reason <reason>", "all of one reason that were not sent through yet")
    .action(redrive);
}

async function list(
  options: ServiceOptions & { readonly reason?: string; readonly sensor?: string; readonly limit: number },
): Promise<void> {
  const { reason, sensor, limit } = options;
  const query = { reason, sensor, limit: Math.min(limit, 1000) };
  const { items } = await findService(options).client.get<{ items: Item[] }>("/api/v1/quarantine", query);
  const text = () =>
    table(
      ["id", "received", "reason", "topic", "detail"],
      items.map((item) => [item.id, item.receivedAt, item.reason, item.topic, item.detail]),
    );
  show(options, items, () => (items.length === 0 ? "the quarantine is empty" : text()));
}

async function one(id: number, options: ServiceOptions): Promise<void> {
  const item = await findService(options).client.get<Item>(`/api/v1/quarantine/${id}`);
  show(options, item, () =>
    [
      `received  ${item.receivedAt} from ${item.source}`,
      `topic     ${item.topic}`,
      `reason    ${item.reason}: ${item.detail}`,
      `redriven  ${item.redrivenAt ?? "no"}`,
      `payload   ${item.payload?.text ?? item.payload?.base64 ?? "not kept"}`,
    ].join("\n"),
  );
}

async function redrive(
  ids: readonly string[],
  options: ServiceOptions & { readonly reason?: string },
  command: Command,
): Promise<void> {
  const numbers = ids.map(Number);
  if (ids.length > 0 === (options.reason !== undefined) || numbers.some((id) => !Number.isInteger(id) || id < 1))
    command.error("error: give either the numbers of some, or --reason", { exitCode: 2 });
  const body = options.reason === undefined ? { ids: numbers } : { reason: options.reason };
  const answer = await findService(options).client.post<{ redriven: number }>("/api/v1/quarantine/redrive", body);
  show(options, answer, () => `${answer.redriven} messages go through again`);
}
