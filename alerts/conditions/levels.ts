import { levelRules, type Rule } from "../../model/rule.ts";
import type { AnyOverValues, Outcome, Step, ValueCondition, WatchedSensor } from "./condition.ts";
import type { WindowSize } from "./window.ts";

/** The params of each level, the mildest first; the window is the same for all. */
export type LevelledParams = { readonly levels: readonly unknown[] } & Partial<WindowSize>;

/** What one level says for itself. `since`: when it began to hold. */
type Said = { readonly phase: "pending" | "firing"; readonly since: number };

/** `levels`: the state of each; `said`: what each says, or null; the alert of them all, while there is one. */
type LevelledState = {
  readonly levels: readonly unknown[];
  readonly said?: readonly (Said | null)[];
  readonly alert?: { readonly startedAt: number; readonly level: number };
};

/** undefined: the sensor lacks what one of the levels is measured by. */
export function levelledParams(
  rule: Rule,
  paramsOf: (level: Rule) => (sensor: WatchedSensor) => unknown,
): (sensor: WatchedSensor) => LevelledParams | undefined {
  const makers = levelRules(rule).map(paramsOf);
  return (sensor) => {
    const levels = makers.map((make) => make(sensor));
    if (levels.some((one) => one === undefined)) return undefined;
    const { windowMs, days } = levels[0] as Partial<WindowSize>;
    return { levels, ...(windowMs === undefined ? {} : { windowMs }), ...(days === undefined ? {} : { days }) };
  };
}

/**
 * The same condition at several levels: one alert, which begins with the first of them, whose level is the highest that
 * fires, and which ends with the last. While it fires, a level that is only waiting for its `for` holds it, too: what
 * falls back from a higher one has been beyond the lower all along.
 */
export function levelled(
  one: Pick<AnyOverValues, "quiet" | "step" | "advance" | "whileHeard">,
): ValueCondition<LevelledParams, LevelledState> {
  const quiet: LevelledState = { levels: [] };
  const { advance } = one;

  function run(
    { levels: params }: LevelledParams,
    state: LevelledState,
    stepOne: (params: unknown, state: unknown) => Step<unknown>,
  ): Step<LevelledState> {
    let levels: unknown[] | undefined;
    let news: { level: number; outcome: Outcome }[] | undefined;
    for (let i = 0; i < params.length; i++) {
      const former = i < state.levels.length ? state.levels[i] : one.quiet;
      const [next, outcomes] = stepOne(params[i], former);
      if (next !== former || i >= state.levels.length) {
        levels ??= params.map((_, j) => (j < state.levels.length ? state.levels[j] : one.quiet));
        levels[i] = next;
      }
      for (const outcome of outcomes) {
        news ??= [];
        news.push({ level: i, outcome });
      }
    }
    if (!levels && !news) return [state, NOTHING];
    const moved = levels ? { ...state, levels } : state;
    return news
      ? judge(moved, news, params.length)
      : [moved.levels.every((s) => s === one.quiet) && !moved.alert ? quiet : moved, NOTHING];
  }

  return {
    quiet,
    step: (params, state, sample) => run(params, state, (own, former) => one.step(own, former, sample)),
    ...(advance && {
      advance: (params, state, time, cadence) =>
        run(params, state, (own, former) => advance(own, former, time, cadence)),
    }),
    ...(one.whileHeard && { whileHeard: one.whileHeard }),
  };
}

const NOTHING: readonly Outcome[] = [];

/** What happened at one moment is one change: two levels that fire together are one alert at the higher one. */
function judge(
  state: LevelledState,
  news: readonly { readonly level: number; readonly outcome: Outcome }[],
  count: number,
): Step<LevelledState> {
  let said = Array.from({ length: count }, (_, i): Said | null => state.said?.[i] ?? null);
  let { alert } = state;
  const told: Outcome[] = [];
  const moments = [...Map.groupBy(news, ({ outcome }) => outcome.at)].sort(([a], [b]) => a - b);
  for (const [, together] of moments) {
    said = [...said];
    for (const { level, outcome } of together) {
      const { what, startedAt } = outcome;
      if (what === "counted") continue;
      said[level] = what === "pending" || what === "firing" ? { phase: what, since: startedAt } : null;
    }
    const [next, outcome] = change(alert, said, together);
    alert = next;
    if (outcome) told.push(outcome);
  }
  const { levels } = state;
  return [said.some((one) => one !== null) ? { levels, said, ...(alert && { alert }) } : { levels }, told];
}

function change(
  alert: LevelledState["alert"],
  said: readonly (Said | null)[],
  news: readonly { readonly level: number; readonly outcome: Outcome }[],
): [LevelledState["alert"], Outcome | undefined] {
  const fires = said.findLastIndex((one) => one?.phase === "firing");
  const holds = said.findLastIndex((one) => one !== null);
  const last = news.at(-1)!.outcome;
  const startedAt = alert?.startedAt ?? Math.min(...said.flatMap((one) => (one ? [one.since] : [])));
  const wasFiring = alert !== undefined && alert.level > 0;
  // 0: pending.
  const level = fires >= 0 ? fires + 1 : wasFiring ? holds + 1 : 0;
  if (holds < 0) return [undefined, alert ? { ...last, what: "resolved", startedAt } : undefined];
  const counts = news.flatMap(({ outcome }) => outcome.counts ?? []);
  if (alert?.level === level) {
    const isCounted = level > 0 && counts.length > 0;
    return [alert, isCounted ? { ...last, what: "counted", startedAt, why: undefined, level, counts } : undefined];
  }
  const next = { startedAt, level };
  const own = news.find((one) => one.level === level - 1)?.outcome ?? last;
  const about = {
    ...own,
    startedAt,
    why: undefined,
    level,
    since: said[Math.max(0, level - 1)]?.since ?? startedAt,
    counts,
  };
  if (level === 0) return [next, { ...last, what: "pending", startedAt }];
  if (!wasFiring) return [next, { ...about, what: "firing" }];
  return [next, { ...about, what: level > alert.level ? "raised" : "lowered" }];
}
