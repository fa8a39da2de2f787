import { load, type Service, startLamppost } from "./contenders.ts";

type AlertLatencyRow = {
  readonly load: string;
  readonly alerts: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const PROBE_EVERY_MS = 50;
/** What has not come by then has not come. */
const SETTLING_MS = 2_000;
const PLACE = { kind: "air", district: "bench" };

/**
 * From the moment a device sends a reading that raises an alert (over HTTP, which answers after the fsync) to the alert on
 * the live stream, while 2,000 readings a second of 50 others come in.
 */
export async function benchAlertLatency(durationMs: number): Promise<AlertLatencyRow[]> {
  const service = await startLamppost();
  const ended = new AbortController();
  try {
    const probes = Array.from({ length: Math.floor(durationMs / PROBE_EVERY_MS) }, (_, i) => `probe-${i}`);
    for (const sensorId of probes) await post(service, "devices", { sensorId, ...PLACE });
    const sent = new Map<string, number>();
    const latencies: number[] = [];
    const listening = listen(service, ended.signal, (sensorId) => {
      const at = sent.get(sensorId);
      if (at !== undefined) latencies.push(performance.now() - at);
      sent.delete(sensorId);
    });
    const shape = { connections: 50, inFlight: 50, durationMs, ratePerS: 2_000, district: "bench", prefix: "pace" };
    const loaded = load({ ...service.load, ...shape });
    for (const sensorId of probes) {
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
      sent.set(sensorId, performance.now());
      await post(service, "readings", { sensorId, ...PLACE, battery: 5 });
    }
    await loaded;
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    ended.abort();
    await listening;
    if (sent.size > 0) throw new Error(`${sent.size} alerts did not come`);
    latencies.sort((a, b) => a - b);
    const at = (share: number) => Math.round(latencies[Math.floor(latencies.length * share)]! * 10) / 10;
    return [{ load: "2,000 readings/s", alerts: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99) }];
  } finally {
    ended.abort();
    await service.stop();
  }
}

async function post({ http, token }: Service, path: string, body: object): Promise<void> {
  const response = await fetch(`${http}/api/v1/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

/** The first alert of each sensor. */
async function listen(service: Service, signal: AbortSignal, onAlert: (sensorId: string) => void): Promise<void> {
  const headers = { authorization: `Bearer ${service.token}` };
  const response = await fetch(`${service.http}/api/v1/events`, { headers, signal });
  let text = "";
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split("\n\n");
      text = events.pop()!;
      for (const event of events) {
        const sensorId = /"sensorId":"(probe-\d+)"/.exec(event)?.[1];
        if (sensorId !== undefined) onAlert(sensorId);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
