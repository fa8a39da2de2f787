import { effect, signal } from "@preact/signals";
import { onAlertNews } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { titleOf } from "../words/tell.ts";
import { districtName } from "../words/words.ts";
import { badge, sound } from "./preferences.ts";

export const pageTitle = signal("");
/** New critical alerts since someone last looked at the page. */
const unseen = signal(0);
const newest = signal("");

/** Tells of new critical alerts, on any page: a sound, a number in the title; each only if switched on. */
export function startNotifying(): void {
  effect(() => {
    const count = badge.value && unseen.value > 0 ? `(${unseen.value}) ` : "";
    document.title = `${count}${pageTitle.value} · Lamppost`;
  });
  onAlertNews(({ what, alert }) => {
    // One that was milder is as new to whoever waits for critical ones.
    if ((what !== "firing" && what !== "raised") || alert.severity !== "critical" || alert.suppressedBy || alert.mode)
      return;
    const { sensorId, district } = alert.subject;
    newest.value = messages.value.desk.newCritical(
      titleOf(alert),
      district ? districtName(district) : (sensorId ?? ""),
    );
    if (document.visibilityState !== "visible" || !document.hasFocus()) unseen.value += 1;
    if (sound.value) ring();
  });
  const seen = () => {
    if (document.visibilityState === "visible") unseen.value = 0;
  };
  addEventListener("focus", seen);
  document.addEventListener("visibilitychange", seen);
}

/** For screen readers only: everyone else sees the list. */
export function NewCritical() {
  return (
    <p class="hidden" role="status">
      {newest.value}
    </p>
  );
}

/** Two short tones. A browser that wants a click first stays silent until then. */
function ring(): void {
  const audio = new AudioContext();
  const volume = audio.createGain();
  volume.gain.value = 0.15;
  volume.connect(audio.destination);
  [880, 660].forEach((frequency, i) => {
    const tone = audio.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(volume);
    tone.start(audio.currentTime + i * 0.22);
    tone.stop(audio.currentTime + i * 0.22 + 0.18);
  });
  setTimeout(() => void audio.close(), 1_000);
}
