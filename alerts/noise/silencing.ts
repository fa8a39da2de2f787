import { type AlertFacts, matches, type Silence, silenceSpan } from "../../model/silence.ts";
import type { Records } from "../../store/records.ts";

/** Which silences are on. Looked up anew only when one was added or ended, or when one begins or is over by itself. */
export function createSilencing(records: Pick<Records["silences"], "current">) {
  let looked: { readonly all: string; readonly from: number; readonly to: number } | undefined;
  let active: readonly Silence[] = [];

  function activeAt(now: number): readonly Silence[] {
    const current = records.current();
    const all = current.map(({ id }) => id).join();
    if (looked && looked.all === all && now >= looked.from && now < looked.to) return active;
    const spans = current.map((silence) => ({ silence, span: silenceSpan(silence, now) }));
    active = spans.filter(({ span }) => span && span.from <= now).map(({ silence }) => silence);
    const borders = spans.flatMap(({ span }) => (span ? [span.from, span.to] : []));
    looked = { all, from: now, to: Math.min(...borders.filter((time) => time > now)) };
    return active;
  }

  /** "silence:12" or "maintenance:12": the oldest that matches. */
  function silencedBy(facts: AlertFacts, now: number): Silence | undefined {
    return activeAt(now).find(({ matchers }) => matches(matchers, facts));
  }

  /** Changes when a silence begins or ends. */
  const sign = (now: number) =>
    activeAt(now)
      .map(({ id }) => id)
      .join();

  return { silencedBy, sign };
}
