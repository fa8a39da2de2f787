/**
 * What a part of the service says of itself. `ready: false` turns `/readyz` to 503; a part may be `degraded` (the store
 * lags) and still ready. `reason` tells an operator what to do.
 */
export type Health = {
  readonly part: string;
  readonly state: "ok" | "degraded" | "failed";
  readonly ready: boolean;
  readonly reason?: string;
};

type Part = () => Health | readonly Health[];

/** What all parts say of themselves. One that cannot say it has failed; the others are heard all the same. */
export function gatherHealth(parts: readonly Part[]): Health[] {
  return parts.flatMap((part) => {
    try {
      return part();
    } catch (error) {
      const reason = `A part of the service cannot say how it is: ${error instanceof Error ? error.message : String(error)}`;
      return { part: "health", state: "failed", ready: true, reason } as const;
    }
  });
}

type Labels = Readonly<Record<string, string>>;

/** One figure for `/metrics`; made by `counter`, `gauge` and `byLabel`, which hold the names to Prometheus' rules. */
export type Figure = {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
  readonly labels?: Labels;
};

/** What only grows, since the start. Labels are closed sets: a value of the world there would be a series for each. */
export function counter(name: `lamppost_${string}_total`, help: string, value: number, labels?: Labels): Figure {
  return { name, help, type: "counter", value, labels };
}

/** What goes up and down. */
export function gauge(name: `lamppost_${string}`, help: string, value: number, labels?: Labels): Figure {
  return { name, help, type: "gauge", value, labels };
}

/** One for each value of a label: `byLabel(gauge, "lamppost_sensors", "Sensors, by kind.", "kind", { air: 3, traffic: 1 })`. */
export function byLabel<N extends string>(
  figure: (name: N, help: string, value: number, labels: Labels) => Figure,
  name: NoInfer<N>,
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): Figure[] {
  return Object.entries(values).map(([one, value]) => figure(name, help, value, { [label]: one }));
}

/**
 * One figure for each of a part's counts: `{ lostQos0: 2 }` is `<prefix>_lost_qos0_total`. Those of `gauges` go up and
 * down; `help` says what each counts.
 */
export function figuresOf<K extends string>(
  prefix: `lamppost_${string}`,
  counts: Readonly<Record<K, number>>,
  gauges: readonly NoInfer<K>[],
  help: Readonly<Record<NoInfer<K>, string>>,
): Figure[] {
  return (Object.keys(counts) as K[]).map((name) => {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return gauges.includes(name)
      ? gauge(`${prefix}_${snake}`, help[name], counts[name])
      : counter(`${prefix}_${snake}_total`, help[name], counts[name]);
  });
}
