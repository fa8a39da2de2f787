import { z } from "zod";
import { sumLedger } from "../../model/ledger.ts";
import type { Api, Parts } from "../api.ts";
import type { LedgerView } from "../deps.ts";
import { pageByKey } from "../paging.ts";
import { invalid } from "../problems.ts";
import { answers } from "../schemas/answers.ts";
import { Id, paging } from "../schemas/common.ts";

const sums = {
  received: z.number().int(),
  stored: z.number().int(),
  duplicate: z.number().int(),
  quarantined: z.number().int(),
  shed: z.number().int().describe("Messages of QoS 0 let go under pressure"),
  lost: z.number().int().describe("Messages that cannot be read from the journal any more"),
  inJournal: z.number().int().describe("Messages kept, not opened yet"),
  balanced: z.boolean().describe("received = stored + duplicate + quarantined + shed + lost + inJournal"),
  reasons: z.record(z.string(), z.number().int()).describe("Quarantined, by reason"),
};

const LedgerBody = z
  .object({
    ...sums,
    days: z.array(z.object({ day: z.string(), ...sums })),
    sensors: z.array(z.object({ sensorId: z.string(), ...sums })).optional(),
    next: z.string().optional().describe("The next page of sensors"),
  })
  .meta({ id: "Ledger" });

const schema = {
  tags: ["ledger"],
  summary: "The books: where everything that was received ended",
  description:
    "The whole, or what was received on a day (UTC), or of one sensor; by=sensor adds a line for each sensor.",
  querystring: z.strictObject({
    ...paging,
    day: z.iso.date().optional(),
    sensor: Id.optional(),
    by: z.literal("sensor").optional(),
  }),
  response: answers({ 200: LedgerBody }),
};

export function addLedger(app: Api, { records, ledger }: Pick<Parts, "records" | "ledger">): void {
  app.get("/ledger", { schema }, async (request) => {
    const { day, sensor, by, limit, cursor } = request.query;
    if (by && sensor) throw invalid("#/query/by", "Give either sensor or by=sensor.");
    const whole = day === undefined && sensor === undefined ? view(ledger()) : filtered(records, day, sensor);
    if (!by) return whole;
    const lines = records.ledger.bySensor(day);
    const page = pageByKey(lines, (line) => line.sensorId, limit, cursor);
    const sensors = page.items.map((line) => ({ sensorId: line.sensorId, ...sumLedger(line.outcomes, 0) }));
    return { ...whole, sensors, ...(page.next === undefined ? {} : { next: page.next }) };
  });
}

function view(ledger: LedgerView) {
  return { ...ledger, days: ledger.days.map((day) => ({ ...day })) };
}

function filtered(records: Parts["records"], day: string | undefined, sensor: string | undefined) {
  const outcomes = records.ledger.totals({ day, ...(sensor === undefined ? {} : { sensors: [sensor] }) });
  const total = sumLedger(outcomes, 0);
  return { ...total, days: day === undefined ? [] : [{ day, ...total }] };
}
