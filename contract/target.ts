import { z } from "zod";
import { type TargetState, targetFields } from "../model/target.ts";
import { Id, type Mirrors, type Provided, type Sent, Time, type View } from "./common.ts";

const { secret: _, url: __, ...shown } = targetFields;

/** A target as admins see it: without its secrets, with how it goes. */
export const TargetBody = z
  .object({
    id: z.string(),
    ...shown,
    url: z.string().optional().describe("Only the host of a chat's address: the rest of it is its secret"),
    signed: z.boolean().describe("Whether there is a secret; it is never shown"),
    createdAt: Time,
    createdBy: z.string(),
    pending: z.number().int().describe("Notices that wait for it"),
    failures: z.number().int().describe("Attempts that failed since the last that worked"),
    lastError: z.string().optional(),
    lastErrorAt: Time.optional(),
    lastSentAt: Time.optional(),
    refusing: z
      .array(z.object({ address: z.string(), why: z.string(), at: Time }))
      .optional()
      .describe("Addresses that refuse its mails, which the others get"),
    disabledBecause: z.string().optional(),
  })
  .meta({ id: "Target" });
type Body = View<typeof TargetBody>;
export type TargetView = Provided<
  Body,
  Mirrors<Omit<Pick<Body, keyof TargetState>, "refusing">, Omit<TargetState, "refusing">, "lastErrorAt" | "lastSentAt">
>;
export type TargetType = TargetView["type"];

/** The answer of `POST /targets`: `secret` is the one that was made for it. */
export const AddedTargetBody = TargetBody.extend({ secret: z.string().optional() });
export type AddedTargetView = View<typeof AddedTargetBody>;

export const NewTarget = z.strictObject({ id: Id.optional(), ...targetFields }).meta({ id: "NewTarget" });
export type NewTarget = Sent<typeof NewTarget>;
export const ChangedTarget = z.strictObject(targetFields).meta({ id: "ChangedTarget" });
export type ChangedTarget = Sent<typeof ChangedTarget>;

export const TargetTestBody = z.object({ sent: z.boolean(), error: z.string().optional() });
export type TargetTestView = View<typeof TargetTestBody>;
