import { z } from "zod";
import { byId } from "../../contract/common.ts";
import { NewRun, RunBody } from "../../contract/simulation.ts";
import {
  type RecordingNow,
  type Run,
  type RunQuestion,
  SCENARIO_NAMES,
  SimulationRefused,
} from "../../model/simulation.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["simulations"];
const list = {
  tags,
  summary: "What can be played, and what is",
  response: answers({
    200: z.object({
      refused: z.string().optional().describe("Why nothing can run here"),
      scenarios: z.array(z.enum(SCENARIO_NAMES)),
      districts: z.array(z.string()).describe("Of the scenarios"),
      current: RunBody.optional(),
      last: RunBody.optional(),
    }),
  }),
};
const start = {
  tags,
  summary: "Start a scenario, or play a recording",
  description:
    "Through the broker, by a gateway of its own, as sensors and districts called sim-…; they are removed 15 minutes after " +
    "the end. Rules run on them and alerts are told. One at a time (409), at most 4 hours.",
  body: NewRun,
  response: answers({ 201: RunBody }, 404, 409, 413, 415, 503),
};
const stop = {
  tags,
  summary: "Stop it; what was sent is still booked",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};

export function addSimulations(app: Api, { simulations, records, auth, now }: Parts): void {
  app.get("/simulations", { schema: list }, async () => {
    const [refused, current, last] = [simulations.refusal(), simulations.current(), simulations.last()];
    return {
      ...(refused === undefined ? {} : { refused }),
      scenarios: [...SCENARIO_NAMES],
      districts: [...simulations.districts()],
      ...(current ? { current: viewRun(current) } : {}),
      ...(last ? { last: viewRun(last) } : {}),
    };
  });

  app.post("/simulations", { schema: start }, async (request, reply) => {
    const refused = simulations.refusal();
    if (refused !== undefined) throw new ProblemError("unavailable", refused);
    const asked = questionOf(request.body);
    const { recording } = request.body;
    const known = simulations.recordings.list().map(({ name }) => name);
    if (recording !== undefined && !known.includes(recording)) throw notFound("recording", recording);
    const by = auth.account(request).name;
    const run = orConflict(() => simulations.start(asked, by));
    const target = request.body.scenario ?? `recording ${recording}`;
    records.audit.add({ at: now(), by, what: "simulation.start", target, detail: `${run.id}, speed ${run.speed}` });
    return reply.code(201).send(viewRun(run));
  });

  app.delete("/simulations/:id", { schema: stop }, async (request, reply) => {
    const { id } = request.params;
    if (!simulations.stop(id)) throw notFound("running simulation", id);
    records.audit.add({ at: now(), by: auth.account(request).name, what: "simulation.stop", target: id });
    return reply.code(204).send();
  });
}

function questionOf({ scenario, recording, districts, ...rest }: z.infer<typeof NewRun>): RunQuestion {
  if ((scenario === undefined) === (recording === undefined)) throw invalid("", "Give a scenario or a recording.");
  const source = scenario === undefined ? { recording: recording! } : { scenario };
  return { ...rest, source, ...(districts ? { districts } : {}) };
}

/** What is refused is refused because of something that is there already. */
export function orConflict<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SimulationRefused) throw new ProblemError("conflict", error.message);
    throw error;
  }
}

export const iso = (at: number) => new Date(at).toISOString();

export function viewRun({ source, minutes: _, districts, startedAt, endsAt, ended, ...rest }: Run) {
  return {
    ...rest,
    ...source,
    ...(districts ? { districts: [...districts] } : {}),
    startedAt: iso(startedAt),
    endsAt: iso(endsAt),
    ...(ended ? { ended: { ...ended, at: iso(ended.at) } } : {}),
  };
}

export function viewRecording({ minutes: _, sensors, districts, startedAt, endsAt, ...rest }: RecordingNow) {
  return {
    ...rest,
    ...(sensors ? { sensors: [...sensors] } : {}),
    ...(districts ? { districts: [...districts] } : {}),
    startedAt: iso(startedAt),
    endsAt: iso(endsAt),
  };
}
