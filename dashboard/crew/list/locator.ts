import { signal } from "@preact/signals";
import type { Position } from "./distance.ts";

export type Locating = "off" | "asking" | "on" | "denied" | "failed";
const PATIENCE_MS = 15_000;

/** Where this device is: asked for only when someone wishes, kept in memory only, told to nobody. */
export function createLocator() {
  const position = signal<Position | undefined>(undefined);
  const state = signal<Locating>("off");

  function locate(): void {
    if (!navigator.geolocation) {
      state.value = "failed";
      return;
    }
    state.value = "asking";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        position.value = { lat: coords.latitude, lon: coords.longitude };
        state.value = "on";
      },
      ({ code, PERMISSION_DENIED }) => {
        state.value = code === PERMISSION_DENIED ? "denied" : "failed";
      },
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 60_000 },
    );
  }

  return { position, state, locate };
}
