import type { Login } from "../helpers/senders.ts";

/**
 * Somebody who means ill, or whose equipment is broken. One file in `attacks/` exports one as `attack`; it runs in a
 * process of its own, so that its own work does not slow the honest clients it is measured by.
 */
export type Attack = {
  readonly name: string;
  /** What it does and what must not come of it, in a sentence. */
  readonly about: string;
  /** Settings of the service under attack, where the defaults would make the attack longer than the test. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Attacks until `signal` aborts, and returns what it did, for the report. Throws when the service treats the attacker
   * itself wrongly (accepts what it must refuse, or does not say why); refusals and cut connections are part of the work.
   */
  run(target: Target, signal: AbortSignal): Promise<string>;
};

/**
 * The service under attack. The honest clients come from 127.0.0.1; an attack that is somewhere else binds its sockets
 * to `ELSEWHERE` (`localAddress`).
 */
export type Target = {
  readonly http: string;
  readonly mqtt: string;
  readonly adminToken: string;
  readonly dataDir: string;
  /** The service's process, to read its memory or to stop it (the control). */
  readonly pid: number;
  /** The administrator's JSON answer; throws on anything but 2xx. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each attack knows its own
  api<T = any>(path: string, body?: unknown, method?: string): Promise<T>;
  /** A registered device of `district` (default "harbour"); publishes to `city/<district>/<kind>/<sensorId>`. */
  device(sensorId: string, place?: { readonly kind?: string; readonly district?: string }): Promise<Login>;
  gateway(name: string, districts?: readonly string[]): Promise<Login>;
  /** The password is the bearer token. */
  user(name: string, role: "viewer" | "crew" | "operator" | "admin"): Promise<Login>;
};

export const ELSEWHERE = "127.0.0.2";
export const DISTRICT = "harbour";
