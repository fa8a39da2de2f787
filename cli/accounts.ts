import { type Command, Option } from "commander";
import { type NewUser, USER_ROLES } from "../contract/account.ts";
import type { Kind } from "../model/kinds.ts";
import type { Acceptance } from "../model/people.ts";
import { readingTopic } from "../model/topics.ts";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherIds, gatherTag, parseId, parseKind, parseNumber } from "./options.ts";
import { show, table } from "./output.ts";

/** Who may connect: sensors with a password of their own, gateways, and people and programs that use the API. */
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
    .action(addDevice);
  withService(device.command("list").description("list them"), "device list").action(listDevices);
  withService(
    device.command("remove").description("take the password away; the readings stay"),
    "device remove air-market-1",
  )
    .argument("<sensor>", "its id", parseId)
    .option("--sensor", "also take the sensor off the register")
    .action(removeDevice);

  const gateway = program.command("gateway").description("devices that speak for the sensors of their districts");
  withService(
    gateway.command("add").description("add a gateway and print its password, once"),
    "gateway add gw-north --district northfield,harbour",
  )
    .argument("<name>", "its name; its client ids start with it", parseId)
    .requiredOption("--district <districts>", "one or more, separated by commas; may be repeated", gatherIds)
    .option("--may-import", "may send history on import/… topics")
    .option(
      "--accepts <mapping=filters>",
      "a mapping it may use and the MQTT topics it reads, such as ttn=v3/+/devices/+/up; may be repeated",
      gatherAcceptance,
    )
    .action(addGateway);
  withService(gateway.command("list").description("list them"), "gateway list").action(listGateways);
  withService(gateway.command("remove").description("take its password away"), "gateway remove gw-north")
    .argument("<name>", "its name", parseId)
    .action((name: string, options: ServiceOptions) => remove("gateways", name, "can no longer connect", options));

  const user = program.command("user").description("people and programs that use the API");
  withService(user.command("add").description("add a user and print the token, once"), "user add anna --role operator")
    .argument("<name>", "a name: a-z, 0-9 and -", parseId)
    .addOption(new Option("--role <role>", "what they may do").choices(USER_ROLES).makeOptionMandatory())
    .action(addUser);
  withService(user.command("list").description("list them"), "user list").action(listUsers);
  withService(user.command("remove").description("remove a user; open streams are closed"), "user remove anna")
    .argument("<name>", "the name", parseId)
    .action((name: string, options: ServiceOptions) => remove("users", name, "is removed", options));
}

async function remove(what: "gateways" | "users", name: string, said: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/${what}/${name}`);
  show(options, { removed: name }, () => `${name} ${said}`);
}

type NewDeviceOptions = ServiceOptions & {
  readonly kind: Kind;
  readonly district: string;
  readonly name?: string;
  readonly lat?: number;
  readonly lon?: number;
  readonly interval?: number;
  readonly tag: Readonly<Record<string, string>>;
};

/** A reading the sensor could really send: one metric of its kind. */
const SAMPLE: Readonly<Record<Kind, string>> = {
  air: '{"pm25":12.4}',
  traffic: '{"speed":48}',
  energy: '{"voltage":231}',
};

async function addDevice(sensorId: string, options: NewDeviceOptions): Promise<void> {
  const service = findService(options);
  const { kind, district, name, lat, lon, interval, tag } = options;
  const body = { sensorId, kind, district, name, lat, lon, intervalS: interval, tags: tag };
  const login = await service.client.post("/devices", body);
  const topic = readingTopic({ kind, district, sensorId });
  show(options, { ...login, sensorId, topic }, () => {
    const { hostname, port } = new URL(service.mqtt ?? service.client.url.replace(/:\d+$/, ":1883"));
    const password = `"${login.password}"`;
    return [
      `username  ${login.username}`,
      `password  ${login.password}   (shown once; only its hash is kept)`,
      "",
      "Its first reading, which waits until it can be read:",
      `  ./lamppost publish ${sensorId} '${SAMPLE[kind]}' --password ${password}`,
      "The same with mosquitto_pub (package mosquitto-clients):",
      `  mosquitto_pub -h ${hostname} -p ${port || 1883} -i ${sensorId} -u ${login.username} -P ${login.password} -q 1 \\`,
      `    -t ${topic} -m '${SAMPLE[kind]}'`,
    ].join("\n");
  });
}

async function listDevices(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/devices", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["sensor", "kind", "district", "added"],
      rows.map((row) => [row.sensorId, row.kind, row.district, row.createdAt]),
    ),
  );
}

async function removeDevice(sensorId: string, options: ServiceOptions & { readonly sensor?: boolean }): Promise<void> {
  await findService(options).client.delete(`/devices/${sensorId}${options.sensor ? "?removeSensor=true" : ""}`);
  show(options, { removed: sensorId }, () => `${sensorId} can no longer connect; its readings stay`);
}

/** `mapping`, or `mapping=filter,filter`. */
function gatherAcceptance(text: string, before: readonly Acceptance[] = []): Acceptance[] {
  const at = text.indexOf("=");
  const mapping = parseId(at < 0 ? text : text.slice(0, at));
  const topics = at < 0 ? [] : text.slice(at + 1).split(",");
  return [...before, { mapping, topics }];
}

async function addGateway(
  name: string,
  options: ServiceOptions & {
    readonly district: readonly string[];
    readonly mayImport?: boolean;
    readonly accepts?: readonly Acceptance[];
  },
): Promise<void> {
  const { district: districts, mayImport = false, accepts } = options;
  const body = { name, districts, mayImport, ...(accepts && { accepts }) };
  const login = await findService(options).client.post("/gateways", body);
  show(options, login, () =>
    [
      `username   ${login.username}`,
      `password   ${login.password}   (shown once; only its hash is kept)`,
      `client id  ${name}-<anything>`,
      `topics     ${options.district.map((district) => `city/${district}/<kind>/<sensor>`).join("  ")}`,
      ...(accepts ?? []).map(({ mapping, topics }) => `${mapping.padEnd(10)} ${topics.join("  ") || "over HTTP"}`),
    ].join("\n"),
  );
}

async function listGateways(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/gateways", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["gateway", "districts", "import", "added"],
      rows.map((row) => [row.username, row.districts.join(","), row.mayImport ? "yes" : "no", row.createdAt]),
    ),
  );
}

async function addUser(name: string, options: ServiceOptions & Pick<NewUser, "role">): Promise<void> {
  const { client } = findService(options);
  const login = await client.post("/users", { name, role: options.role });
  show(options, login, () =>
    [
      `token  ${login.password}   (shown once; only its hash is kept)`,
      `        also the password of "${name}" on the web page, until they choose one there`,
      "",
      `  curl -H "Authorization: Bearer ${login.password}" ${client.url}/api/v1/alerts`,
    ].join("\n"),
  );
}

async function listUsers(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all("/users", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["user", "role", "added"],
      rows.map((row) => [row.username, row.role, row.createdAt]),
    ),
  );
}
