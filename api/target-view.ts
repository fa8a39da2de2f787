import { z } from "zod";
import { pageOf, Time } from "../contract/common.ts";
import { type Target, type TargetState, targetFields } from "../model/target.ts";

const { secret: _, url: __, ...shown } = targetFields;

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
    disabledBecause: z.string().optional(),
  })
  .meta({ id: "Target" });

export const pageOfTargets = pageOf(TargetBody);

/** A target as admins see it: without its secrets, with how it goes. */
export function viewTarget(target: Target, state: TargetState, pending: ReadonlyMap<string, number>) {
  const { secret, formerSecret, url, createdAt, ...rest } = target;
  const { lastErrorAt, lastSentAt, ...others } = state;
  return {
    ...rest,
    ...(url === undefined ? {} : { url: shownUrl(target.type, url) }),
    signed: secret !== undefined,
    createdAt: iso(createdAt),
    pending: pending.get(target.id) ?? 0,
    ...others,
    ...(lastErrorAt === undefined ? {} : { lastErrorAt: iso(lastErrorAt) }),
    ...(lastSentAt === undefined ? {} : { lastSentAt: iso(lastSentAt) }),
  };
}

/** Whoever knows the path of a chat's webhook may write there; a query may carry a token. */
function shownUrl(type: Target["type"], url: string): string {
  const { origin, pathname, search } = new URL(url);
  if (type !== "webhook") return `${origin}/…`;
  return `${origin}${pathname}${search === "" ? "" : "?…"}`;
}

const iso = (time: number) => new Date(time).toISOString();
