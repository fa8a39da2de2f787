import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cityStreetMap } from "../simulators/street-map.ts";

/** `node tools/street-map.ts` writes the street map of the simulated city, one feature a line: a change of it can be read. */
const { features, ...head } = cityStreetMap();
const lines = features.map((feature) => JSON.stringify(feature)).join(",\n");
const path = join(import.meta.dirname, "../simulators/lindenau.geojson");
writeFileSync(path, `${JSON.stringify(head).slice(0, -1)},"features":[\n${lines}\n]}\n`);
console.log(`${path}: ${features.length} features`);
