import { resolve } from "node:path";
import { z } from "zod";
import { checkMapFile, type MapFileFacts } from "../store/map/check-map-file.ts";

export type NamedMapFile = MapFileFacts & { readonly path: string };

/** From this service or from a host that a Content-Security-Policy can name. */
const TILES_URL = /^(\/(?!\/)|https?:\/\/[^\s;,{}/]+\/)(?=.*\{z\})(?=.*\{x\})(?=.*\{y\})\S*$/;
export const tilesUrl = z
  .string()
  .regex(TILES_URL, "expected was an address like https://tiles.example/{z}/{x}/{y}.png");

/** The files that `LAMPPOST_MAP_FILE` names, which were found right before. */
export const mapFiles = (paths: readonly string[]): readonly NamedMapFile[] =>
  paths.map((path) => ({ path: resolve(path), ...checkMapFile(path) }));

/** What is wrong with each of them. */
export function mapFileMistakes(paths: readonly string[] = []): string[] {
  return paths.flatMap((path) => {
    const mistake = mistakeOf(path);
    return mistake === undefined ? [] : [`LAMPPOST_MAP_FILE: ${path}: ${mistake}`];
  });
}

function mistakeOf(path: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path))
    return "a file of this machine was expected, not an address: nothing is fetched from elsewhere. Tiles of a server are LAMPPOST_MAP_TILES_URL";
  try {
    checkMapFile(path);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What OpenStreetMap asks of those who show its tiles; of another server its name, until LAMPPOST_MAP_ATTRIBUTION says what it asks. */
export function attributionOf(tilesUrl: string | undefined): string | undefined {
  const address = tilesUrl?.replaceAll(/[{}]/g, "");
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { hostname } = new URL(address);
  return /(^|\.)openstreetmap\.(org|de|fr)$/.test(hostname) ? "© OpenStreetMap contributors" : hostname;
}
