/** What a sensor watches. One table per kind in the stores, one topic level in MQTT. */
export const KINDS = ["air", "traffic", "energy"] as const;

export type Kind = (typeof KINDS)[number];

export function isKind(text: string): text is Kind {
  return (KINDS as readonly string[]).includes(text);
}
