import { z } from "zod";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";

const schema = {
  tags: ["ledger"],
  summary: "Where the readings are kept, and what whoever runs that place should know",
  description:
    "For InfluxDB: version, rights (each tried with a point of its own), bucket or database, retention, clock, disk, series.",
  response: answers({
    200: z.object({
      store: z.string().describe("duckdb or influxdb"),
      place: z.string().describe("Where exactly, without secrets"),
      keepsMs: z
        .number()
        .optional()
        .describe("The server itself removes what was measured longer ago, whatever the service's settings say"),
      findings: z.array(
        z.object({
          check: z.string(),
          ok: z.boolean(),
          found: z.string(),
          advice: z.string().optional().describe("What to do, where it is not ok"),
        }),
      ),
    }),
  }),
};

export function addStore(app: Api, { examineStore, queries }: Pick<Parts, "examineStore" | "queries">): void {
  app.get("/store", { schema }, async (request, reply) => {
    const { findings, ...report } = await queries(request, reply).ask(examineStore);
    return { ...report, findings: [...findings] };
  });
}
