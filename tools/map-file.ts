import { writeFileSync } from "node:fs";
import { cityPmtiles } from "./pmtiles-file.ts";

/** `node tools/map-file.ts city.pmtiles [MiB] [seed]`: a made-up map to measure the desk with. */
const [path, sizeMiB = "20", seed = "1"] = process.argv.slice(2);
if (!path) {
  console.error("usage: node tools/map-file.ts FILE [MiB] [seed]");
  process.exit(2);
}
const file = cityPmtiles({ lat: 52.6, lon: 11.15, sizeMiB: Number(sizeMiB), seed: Number(seed) });
writeFileSync(path, file);
console.log(`${path}: ${(file.length / 1024 / 1024).toFixed(1)} MiB`);
