/** What is in sight, in pixels of the world at this zoom. */
export type View = {
  readonly zoom: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Pixels of the screen for each of ours. */
  readonly ratio: number;
};

/** The colours of a base map, as the theme calls them. */
export const LOOK = {
  ground: "--map",
  built: "--map-built",
  green: "--map-green",
  water: "--map-water",
  building: "--map-building",
  road: "--map-road",
  main: "--map-main",
  casing: "--map-casing",
  rail: "--map-rail",
  boundary: "--map-boundary",
  label: "--map-label",
  halo: "--map",
  waterLabel: "--map-water-label",
} as const;
export type Look = Readonly<Record<keyof typeof LOOK, string>>;
