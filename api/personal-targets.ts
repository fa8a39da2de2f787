import { type PersonalNotify, personalNotify, personalTargets } from "../model/push.ts";
import type { Target } from "../model/target.ts";
import type { Records } from "../store/records.ts";

type Deps = {
  readonly records: Pick<Records, "push" | "targets" | "outbox" | "crews">;
  readonly now: () => number;
};

/** What somebody wants who has said nothing yet. */
export const wishesOf = ({ records }: Pick<Deps, "records">, account: string): PersonalNotify =>
  records.push.wishes(account) ?? personalNotify.parse({});

/**
 * Makes the targets of one person what they wish now: one for their browsers, one for their mails. They are targets like
 * others, so what is told, waits and ends is the same. Call it in a transaction.
 */
export function renewPersonalTargets(deps: Deps, account: string): void {
  const { records } = deps;
  const wishes = records.push.wishes(account);
  if (!wishes) return;
  const ids = personalTargets(account);
  const { push, mail, onCall } = wishes;
  const common = targetOf(deps, account, wishes);
  const hasBrowser = push && records.push.list(account).length > 0;
  renew(
    deps,
    ids.push,
    hasBrowser ? { ...common, id: ids.push, type: "push", to: account, enabled: onCall } : undefined,
  );
  renew(deps, ids.mail, mail ? { ...common, id: ids.mail, type: "email", to: mail, enabled: onCall } : undefined);
}

type Common = Omit<Target, "id" | "type" | "to" | "enabled">;

function targetOf({ records, now }: Deps, account: string, wishes: PersonalNotify): Common {
  const { severityMin, audience, quietHours, language, mine } = wishes;
  const districts = mine ? (districtsOf(records, account, wishes.districts) ?? wishes.districts) : wishes.districts;
  return {
    name: account,
    severityMin,
    groupWait: "30s",
    createdAt: now(),
    createdBy: account,
    ...(audience && { audience }),
    ...(quietHours && { quietHours }),
    ...(language && { language }),
    ...(districts && { districts: [...districts] }),
  };
}

/** Where their crews work, of those they named. Undefined: everywhere. */
function districtsOf(
  { crews }: Deps["records"],
  account: string,
  named: readonly string[] | undefined,
): readonly string[] | undefined {
  const own = crews.list().filter(({ members }) => members.includes(account));
  if (own.length === 0 || own.some(({ districts }) => districts.length === 0)) return undefined;
  const all = [...new Set(own.flatMap(({ districts }) => districts))];
  const both = named ? all.filter((one) => named.includes(one)) : all;
  return both.length > 0 ? both : all;
}

function renew({ records, now }: Deps, id: string, target: Target | undefined): void {
  const former = records.targets.get(id);
  if (!target) return void records.targets.remove(id);
  const same = former && JSON.stringify({ ...former, createdAt: 0 }) === JSON.stringify({ ...target, createdAt: 0 });
  if (same) return;
  records.targets.put(target);
  // What waited is not told when they are on call again.
  if (!target.enabled) records.outbox.giveUpBefore(id, Number.MAX_SAFE_INTEGER, "switched off", now());
}
