/** A file that no map can be drawn from; the message says why, about the file ("it …"). */
export class MapFileRefused extends Error {
  override readonly name = "MapFileRefused";
}
