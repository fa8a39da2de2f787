import type { Command } from "commander";
import type { Kind } from "../model/kinds.ts";
import { readingTopic } from "../model/topics.ts";
import { findService, type Service, type ServiceOptions, withService } from "./client.ts";
import { gatherTag, parseId, parseKind, parseNumber } from "./options.ts";
import { show, table } from "./table.ts";

type AddOptions = ServiceOptions & {
  readonly kind: Kind;
  readonly district: string;
  readonly name?: string;
  readonly lat?: number;
  readonly lon?: number;
  readonly interval?: number;
  readonly tag: Readonly<Record<string, string>>;
};
type Login = { readonly username: string; readonly password: string };
type Row = { readonly sensorId: string; readonly kind: string; readonly district: string; readonly createdAt: string };

/** A reading the sensor could really send: one metric of its kind. */
const SAMPLE: Readonly<Record<Kind, string>> = {
  air: '{"pm25":12.4}',
  traffic: '{"speed":48}',
  energy: '{"voltage":231}',
};

export function register(program: Command): void {
  const device = program.command("device").description("sensors with a password of their own");
  withService(
    device.command("add").description("register a sensor and print its password, once"),
    "device add air-market-1 --kind air --district centre --lat 52.61 --lon 11.02 --interval 60 --tag site=roadside",
  )
    .argument("<sensor>", "its id: a-z, 0-9 and -", parseId)
    .requiredOption("--kind <kind>", "air, traffic or energy", parseKind)
    .requiredOption("--district <district>", "where it stands", parseId)
    .option("--name <name>", "a name for people")
    .option("--lat <degrees>", "latitude", parseNumber)
    .option("--lon <degrees>", "longitude", parseNumber)
    .option("--interval <seconds>", "seconds between two readings", parseNumber)
    .option("--tag <key=value>", "what rules may select by; may be repeated", gatherTag, {})
    .action(add);
  withService(device.command("list").description("list them"), "device list").action(list);
  withService(
    device.command("remove").description("take the password away; the readings stay"),
    "device remove air-market-1",
  )
    .argument("<sensor>", "its id", parseId)
    .option("--sensor", "also take the sensor off the register")
    .action(remove);
}

async function add(sensorId: string, options: AddOptions): Promise<void> {
  const service = findService(options);
  const { kind, district, name, lat, lon, interval, tag } = options;
  const body = { sensorId, kind, district, name, lat, lon, intervalS: interval, tags: tag };
  const login = await service.client.post<Login>("/api/v1/devices", body);
  show(options, { ...login, sensorId, topic: readingTopic({ kind, district, sensorId }) }, () =>
    welcome(service, login, sensorId, options),
  );
}

function welcome(service: Service, login: Login, sensorId: string, { kind, district }: AddOptions): string {
  const { hostname, port } = new URL(service.mqtt ?? service.client.url.replace(/:\d+$/, ":1883"));
  const topic = readingTopic({ kind, district, sensorId });
  return [
    `username  ${login.username}`,
    `password  ${login.password}   (shown once; only its hash is kept)`,
    "",
    "Its first reading:",
    `  mosquitto_pub -h ${hostname} -p ${port || 1883} -i ${sensorId} -u ${login.username} -P ${login.password} -q 1 \\`,
    `    -t ${topic} -m '${SAMPLE[kind]}'`,
  ].join("\n");
}

async function list(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all<Row>("/api/v1/devices", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["sensor", "kind", "district", "added"],
      rows.map((row) => [row.sensorId, row.kind, row.district, row.createdAt]),
    ),
  );
}

async function remove(sensorId: string, options: ServiceOptions & { readonly sensor?: boolean }): Promise<void> {
  const query = options.sensor ? "?removeSensor=true" : "";
  await findService(options).client.delete(`/api/v1/devices/${sensorId}${query}`);
  show(options, { removed: sensorId }, () => `${sensorId} can no longer connect; its readings stay`);
}
