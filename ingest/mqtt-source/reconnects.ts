import type { Ended, Version } from "./connection.ts";
import type { SourceLimits } from "./options.ts";
import { hungUp } from "./words.ts";

/** MQTT 5: "session taken over". */
const TAKEN_OVER = 0x8e;
/** "Unacceptable protocol version" in a CONNACK of MQTT 3.1.1, "unsupported protocol version" in one of MQTT 5. */
const OTHER_VERSION = new Set<unknown>([1, 0x84]);
/** MQTT 3.1.1 does not say why it hangs up: so many short connections in a row look like two clients with one id. */
const SHORT_CONNECTIONS_SUSPECT = 3;

type Limits = Pick<SourceLimits, "backOffMsMin" | "backOffMsMax" | "steadyMs">;

/** When to come back, whether something is wrong, and whether another client has, or seems to have, our id. */
export type Verdict = { readonly waitMs: number; readonly wrong: boolean; readonly takeover: boolean };

/**
 * What follows from how connections ended: when to come back, with which version of MQTT, and whether somebody else uses
 * our client id. A broker gives a session to the client that came last, so two with one id throw each other out for ever.
 */
export function createReconnects(limits: Limits, random: () => number) {
  let version: Version = 5;
  let hasWorked = false;
  let failures = 0;
  let shortOnes = 0;
  let takenOver = false;

  /** `lastedMs` from the subscription on, 0 if it did not get so far. */
  function ended(end: Ended, lastedMs: number): Verdict {
    if (end.accepted) hasWorked = true;
    else if (chooseVersion(end)) return { waitMs: 0, wrong: false, takeover: false };
    const steady = lastedMs >= limits.steadyMs;
    if (steady) shortOnes = 0;
    else if (end.accepted && hungUp(end)) shortOnes += 1;
    const saidSo = end.reasonCode === TAKEN_OVER;
    takenOver = saidSo || (takenOver && !steady);
    if (steady) failures = 0;
    const waitMs = limits.backOffMsMin + random() * Math.min(limits.backOffMsMax, limits.backOffMsMin * 2 ** failures);
    failures += 1;
    const takeover = saidSo || (end.accepted && hungUp(end) && shortOnes >= SHORT_CONNECTIONS_SUSPECT);
    return { waitMs, wrong: true, takeover };
  }

  /**
   * A broker from before MQTT 5 says so in its CONNACK, or just hangs up: then both are tried in turn until one works.
   * True: it said so, and the other version has not been refused yet.
   */
  function chooseVersion({ error }: Ended): boolean {
    const saysSo = OTHER_VERSION.has(error?.code);
    const wasFive = version === 5;
    if (saysSo || (!hasWorked && hungUp({ error }))) version = wasFive ? 4 : 5;
    return saysSo && wasFive;
  }

  return {
    ended,
    version: () => version,
    /** "sure" when the broker said so, "likely" when connections keep ending without a reason. */
    takeover: (): "sure" | "likely" | undefined =>
      takenOver ? "sure" : shortOnes >= SHORT_CONNECTIONS_SUSPECT ? "likely" : undefined,
    /** The connection has held: nobody else uses the id, and the next failure is the first. */
    steady(): void {
      takenOver = false;
      shortOnes = 0;
      failures = 0;
    },
  };
}
