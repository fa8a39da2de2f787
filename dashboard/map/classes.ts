/**
 * What a base map shows, however its maker calls it: the layers and values of Protomaps (basemaps), OpenMapTiles and Shortbread, and
 * OpenStreetMap's own tags, as in GeoJSON made by Overpass or by hand.
 */
export const AREAS = ["built", "green", "water", "building"] as const;
export const LINES = ["waterway", "path", "street", "main", "motorway", "rail", "boundary", "district"] as const;
export type Area = (typeof AREAS)[number];
export type LineClass = (typeof LINES)[number];
export type LabelClass = "city" | "suburb" | "street" | "water" | "site";

export type Tags = Readonly<Record<string, unknown>>;
/** Of a feature: what is filled, what is drawn along, what is written. */
export type Classes = {
  readonly area?: Area;
  readonly line?: LineClass;
  readonly label?: LabelClass;
};

const listed = <T extends string>(groups: Readonly<Partial<Record<T, string>>>): ReadonlyMap<string, T> =>
  new Map(
    (Object.entries(groups) as [T, string][]).flatMap(([name, words]) =>
      words.split(" ").map((word) => [word, name] as const),
    ),
  );

const ROADS = listed<LineClass>({
  motorway: "motorway motorway_link highway trunk trunk_link",
  main: "primary primary_link secondary secondary_link major_road tertiary tertiary_link medium_road busway",
  street:
    "residential unclassified living_street minor minor_road service road pedestrian_street bus_guideway taxiway runway other",
  path: "path footway cycleway pedestrian steps track bridleway corridor",
  rail: "rail light_rail tram subway narrow_gauge monorail funicular transit railway",
});
const GROUNDS = listed<Area>({
  green:
    "park forest wood grass grassland meadow garden cemetery allotments recreation_ground village_green orchard vineyard scrub heath golf_course nature_reserve pitch playground farmland national_park protected_area plant_nursery zoo dog_park",
  built:
    "residential industrial commercial retail neighbourhood urban_area suburb quarter railway garages construction school university hospital college military pier",
  water: "water lake river ocean sea basin reservoir riverbank dock canal_water swimming_pool glacier_water",
});
const PLACES = listed<LabelClass>({
  city: "city town village locality hamlet",
  suburb: "suburb quarter neighbourhood macrohood borough city_block",
});

const text = (tags: Tags, ...keys: readonly string[]): string => {
  for (const key of keys) if (typeof tags[key] === "string" && tags[key] !== "") return tags[key];
  return "";
};

/** The name in the reader's language, or as it is called there. */
export function nameOf(tags: Tags, language: string): string {
  return text(tags, `name:${language}`, `name_${language}`, "name", "name:latin", "name:en").slice(0, 80);
}

/** `layer`: of a vector tile; of GeoJSON the file's name. Undefined: it is not drawn. */
export function classify(layer: string, tags: Tags): Classes | undefined {
  const own = text(tags, "highway", "railway", "aeroway");
  if (own !== "") return own === "station" ? { label: "site" } : roadOf(own);
  if (text(tags, "waterway") !== "") return { line: "waterway", label: "water" };
  if (text(tags, "building") !== "") return { area: "building", label: "site" };
  if (text(tags, "natural") === "water") return { area: "water", label: "water" };
  const boundary = text(tags, "boundary");
  if (boundary !== "")
    return { line: boundary === "district" || text(tags, "district") !== "" ? "district" : "boundary" };
  if (typeof tags.district === "string") return { line: "district" };
  const place = PLACES.get(text(tags, "place"));
  if (place) return { label: place };

  const value = text(tags, "kind", "class", "pmap:kind", "landuse", "leisure", "natural", "fclass", "type");
  if (/building/.test(layer)) return { area: "building" };
  if (/bound|admin/.test(layer))
    return Number(tags.admin_level ?? tags.min_admin_level ?? 8) > 8 ? undefined : { line: "boundary" };
  if (/place|settlement/.test(layer)) {
    const label = PLACES.get(text(tags, "kind_detail", "pmap:kind_detail")) ?? PLACES.get(value);
    return label && { label };
  }
  if (/road|street|transport|highway|bridge|rail|transit|aeroway/.test(layer)) {
    const isRail = tags.rail === true || /rail|transit/.test(value);
    return isRail ? { line: "rail" } : (roadOf(text(tags, "kind_detail")) ?? roadOf(value));
  }
  if (/^(water|ocean|physical_line|hydro)/.test(layer)) {
    const isLine = /line|way/.test(layer) || ["river", "stream", "canal", "ditch", "drain"].includes(value);
    return isLine ? { area: "water", line: "waterway", label: "water" } : { area: "water", label: "water" };
  }
  const ground = GROUNDS.get(text(tags, "landuse")) ?? GROUNDS.get(value) ?? GROUNDS.get(text(tags, "subclass"));
  if (ground) return { area: ground, ...(ground !== "built" && { label: ground === "water" ? "water" : "site" }) };
  return /^park/.test(layer) ? { area: "green", label: "site" } : undefined;
}

function roadOf(value: string): Classes | undefined {
  const line = ROADS.get(value);
  return line && { line, ...(line !== "rail" && { label: "street" as const }) };
}
