import { performance } from "node:perf_hooks";
import { load, type Service, startLamppost } from "./contenders.ts";

/**
 * Readings a second of formats of others, journalled, mapped, judged and stored, beside the same readings in our own: in
 * one service after the other, pairs alternating, because the machine is never quiet.
 */
const VALUES = `"pm25":12.4,"no2":31.5,"o3":48.2,"temperature":17.3,"battery":87`;
const FORMATS = {
  json: {
    shape: { topic: "plant/SENSOR", payload: `{"at":1000000000000,"id":"SENSOR",${VALUES}}` },
    yaml: `base: json\ntopics: [plant/+]\ndevice: "{id}"\ntime: { columns: [at], patterns: [epoch-ms] }`,
  },
  tts: {
    shape: {
      topic: "v3/city@ttn/devices/SENSOR/up",
      payload: `{"end_device_ids":{"device_id":"SENSOR","application_ids":{"application_id":"city"},"join_eui":"70B3D57ED00006B2","dev_addr":"27000020"},"correlation_ids":["as:up:01E0CY8V864TP36Q130RSQQJBY"],"received_at":"2026-11-21T10:00:00.4Z","uplink_message":{"f_port":1,"f_cnt":101,"decoded_payload":{"at":1000000000000,${VALUES}},"rx_metadata":[{"gateway_ids":{"gateway_id":"a"},"rssi":-16,"snr":8.5}],"received_at":"2026-11-21T10:00:00.2Z"}}`,
    },
    yaml: `base: tts\ntime: { columns: [at], patterns: [epoch-ms] }`,
  },
  "line-protocol": {
    shape: {
      topic: "lp/SENSOR",
      payload: "air,sensor=SENSOR pm25=12.4,no2=31.5,o3=48.2,temperature=17.3,battery=87 1000000000000000000",
    },
    yaml: "base: line-protocol\ntopics: [lp/+]",
  },
} as const;

type FormatRow = {
  readonly format: string;
  readonly nativeStoredPerS: number;
  readonly storedPerS: number;
  readonly ratio: number;
  /** Processor time of the service for each reading, beside our own's. */
  readonly nativeCpuUs: number;
  readonly cpuUs: number;
  readonly cpuRatio: number;
};

type Run = { readonly storedPerS: number; readonly cpuUs: number };

export async function benchFormats(options: { durationMs: number; pairs: number }): Promise<FormatRow[]> {
  const rows: FormatRow[] = [];
  for (const [format, { shape, yaml }] of Object.entries(FORMATS)) {
    const pairs: (readonly [Run, Run])[] = [];
    for (let pair = 0; pair < options.pairs; pair += 1) {
      const native = await run(options.durationMs);
      pairs.push([native, await run(options.durationMs, { shape, yaml })]);
    }
    const middle = Math.floor(pairs.length / 2);
    const middleOf = (ratio: (pair: readonly [Run, Run]) => number) =>
      Math.round(pairs.map(ratio).sort((a, b) => a - b)[middle]! * 100) / 100;
    const [native, other] = pairs[middle]!;
    rows.push({
      format,
      nativeStoredPerS: Math.round(native.storedPerS),
      storedPerS: Math.round(other.storedPerS),
      ratio: middleOf(([ours, theirs]) => theirs.storedPerS / ours.storedPerS),
      nativeCpuUs: Math.round(native.cpuUs),
      cpuUs: Math.round(other.cpuUs),
      cpuRatio: middleOf(([ours, theirs]) => ours.cpuUs / theirs.cpuUs),
    });
  }
  return rows;
}

type Other = { readonly shape: { readonly topic: string; readonly payload: string }; readonly yaml: string };

async function run(durationMs: number, other?: Other): Promise<Run> {
  const service = await startLamppost();
  try {
    const credentials = other ? await speakers(service, other) : service.load.credentials;
    const [begun, cpuBefore] = [performance.now(), service.cpuS()];
    const shape = { connections: 50, inFlight: 50, durationMs, district: "bench", prefix: "load" };
    const { acked } = await load({ ...service.load, ...shape, credentials, ...(other && { shape: other.shape }) });
    const stored = await service.settled(acked);
    if (stored !== acked) throw new Error(`${acked} acknowledged, ${stored} stored`);
    const storedPerS = stored / ((performance.now() - begun) / 1000);
    return { storedPerS, cpuUs: ((service.cpuS() - cpuBefore) * 1e6) / stored };
  } finally {
    await service.stop();
  }
}

/** Gateways that may speak it: as many as share the load of our own. */
async function speakers(service: Service, { yaml, shape }: Other) {
  const { http, token } = service;
  const ask = async (method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${http}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return response.json() as Promise<{ username: string; password: string }>;
  };
  const whole = `${yaml}\nsensor: "{device}"\nkind: air\ndistrict: bench\n`;
  await ask("PUT", "/mappings/bench", { yaml: whole, reason: "a benchmark" });
  const topics = [shape.topic.replace("SENSOR", "+")];
  const accepts = [{ mapping: "bench", topics }];
  const names = service.load.credentials.map((_, index) => `speaker-${index}`);
  return Promise.all(names.map((name) => ask("POST", "/gateways", { name, districts: ["bench"], accepts })));
}
