/**
 * Chance that can be asked in any order: each number is a hash of what it is for, so a reading of last Tuesday is the same
 * whether it is made today or was made then. Not for secrets.
 */

/** FNV-1a with the final mix of MurmurHash3 (both public domain): 32 bits, well spread. */
export function hash(text: string, seed: number): number {
  let h = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** 0 <= x < 1. */
export function uniform(text: string, seed: number): number {
  return hash(text, seed) / 2 ** 32;
}

/**
 * Noise that drifts: hashed levels between -1 and 1 every `stepMs`, joined by smooth curves (value noise), so that
 * neighbours in time are alike, as the weather and the traffic are.
 */
export function drift(text: string, seed: number, at: number, stepMs: number): number {
  const index = Math.floor(at / stepMs);
  const x = at / stepMs - index;
  const ease = x * x * (3 - 2 * x);
  const a = uniform(`${text}/${index}`, seed);
  const b = uniform(`${text}/${index + 1}`, seed);
  return (a + (b - a) * ease) * 2 - 1;
}

/** Noise of the sensor itself, new with every reading: between -1 and 1, small values more often than large ones. */
export function jitter(text: string, seed: number, at: number): number {
  return uniform(`${text}+${at}`, seed) + uniform(`${text}-${at}`, seed) - 1;
}
