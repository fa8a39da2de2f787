import { z } from "zod";
import type { Crew } from "../model/people.ts";
import { Id, KindName, type Mirrors, type Provided, type Sent, type View } from "./common.ts";

const MEMBERS_MAX = 200;
const CREW_DISTRICTS_MAX = 200;

/** `PUT /crews/{id}`. */
export const NewCrew = z
  .strictObject({
    members: z.array(Id).max(MEMBERS_MAX).describe("Names of users: crew, operator or admin"),
    districts: z.array(Id).max(CREW_DISTRICTS_MAX).default([]).describe("Where it works; none is everywhere"),
    kinds: z.array(KindName).max(3).default([]).describe("What it knows; none is all"),
  })
  .meta({ id: "NewCrew" });
export type NewCrew = Sent<typeof NewCrew>;

export const CrewBody = z
  .object({ id: z.string(), members: z.array(z.string()), districts: z.array(z.string()), kinds: z.array(KindName) })
  .meta({ id: "Crew" });
type Body = View<typeof CrewBody>;
export type CrewView = Provided<Body, Mirrors<Body, Crew, never>>;

/** `GET /assignees`: whom work can be given to. */
export const AssigneesBody = z
  .object({
    crews: z.array(CrewBody),
    people: z.array(z.object({ name: z.string(), role: z.enum(["crew", "operator", "admin"]) })),
  })
  .meta({ id: "Assignees" });
export type AssigneesView = View<typeof AssigneesBody>;
