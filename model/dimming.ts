/** From this minute of the local day on the lamps have this share (0 to 1) of their level. */
export type DimmingStep = readonly [minute: number, share: number];

const STEP = /^([01]?\d|2[0-3]):([0-5]\d)\s*=\s*(\d{1,3})\s*%?$/;
const STEPS_MAX = 12;

/** The tag `dimming` of a cabinet of street lights: "22:00=70 05:00=100", in ascending order of time; undefined: it is none. */
export function parseDimming(text: string): readonly DimmingStep[] | undefined {
  const parts = text.trim().split(/[\s,;]+/);
  if (parts.length > STEPS_MAX) return undefined;
  const steps: DimmingStep[] = [];
  for (const part of parts) {
    const [, hour, minute, percent] = STEP.exec(part) ?? [];
    if (hour === undefined || Number(percent) > 100) return undefined;
    steps.push([Number(hour) * 60 + Number(minute), Number(percent) / 100]);
  }
  return steps.sort((a, b) => a[0] - b[0]);
}
