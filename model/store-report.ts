/** One thing that somebody who runs the store should know. `advice`: what to do when it is not `ok`. */
export type StoreFinding = {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly advice?: string;
};

export type StoreReport = {
  /** "duckdb" or "influxdb". */
  readonly store: string;
  /** Where exactly, without secrets. */
  readonly place: string;
  /** The server itself removes what was measured longer ago than this (ms), whatever we say; undefined if it does not. */
  readonly keepsMs?: number;
  readonly findings: readonly StoreFinding[];
};
