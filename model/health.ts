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

/** One figure for `/metrics`. Names follow Prometheus (`lamppost_…_total` for counters), labels are closed sets. */
export type Figure = {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
};
