import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../app/config.ts";

/** No Docker engine is needed: the files are held to the Compose schema, to the settings and to each other. */
type Service = {
  environment?: Record<string, string | number>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: true };
  volumes?: string[];
  ports?: string[];
  command?: string[];
};
type Compose = { services: Record<string, Service>; volumes: Record<string, null> };

const home = join(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(home, name), "utf8");
const text = read("docker-compose.yml");
const dockerfile = read("Dockerfile");
const compose = (): Compose => parse(text);
const check = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(read("test/compose.schema.json")));
const exampleNames = [...read(".env.example").matchAll(/^(?:# )?([A-Z][A-Z_]*)=/gm)].map((match) => match[1]);

/** `${NAME:-default}` and `${NAME:?message}`, as Compose reads them. */
const VARIABLE = /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g;

function interpolate(value: string | number, env: Record<string, string>): string {
  return String(value).replace(VARIABLE, (_, name, kind, rest) => {
    if (env[name]) return env[name];
    if (kind === "-") return rest;
    throw new Error(`${name} is required: ${rest}`);
  });
}

function environmentOf(name: string, env: Record<string, string>): Record<string, string> {
  const given = Object.entries(compose().services[name]?.environment ?? {});
  return Object.fromEntries(given.map(([key, value]) => [key, interpolate(value, env)]));
}

const SECRETS = {
  LAMPPOST_ADMIN_TOKEN: "a".repeat(64),
  INFLUX_TOKEN: "i".repeat(64),
  DOCKER_INFLUXDB_INIT_PASSWORD: "p".repeat(16),
};

describe("docker-compose.yml", () => {
  it("follows the Compose Specification", () => {
    expect(check(compose()), JSON.stringify(check.errors)).toBe(true);
  });

  it.each<[string, (file: Compose) => void]>([
    ["an unknown key", (file) => Object.assign(file.services.lamppost!, { enviroment: {} })],
    ["a service without an image", (file) => Object.assign(file.services, { other: {} })],
    ["a port that is none", (file) => file.services.lamppost!.ports!.push("http:8080")],
    ["a health check without CMD", (file) => file.services.influxdb!.healthcheck!.test!.shift()],
    [
      "an unknown condition",
      (file) => Object.assign(file.services.lamppost!.depends_on!.influxdb!, { condition: "up" }),
    ],
  ])("is held to a schema that refuses %s", (_, damage) => {
    const file = compose();
    damage(file);
    expect(check(file)).toBe(false);
  });

  it("hands out only settings that .env.example explains", () => {
    const settings = Object.values(compose().services).flatMap((service) => Object.keys(service.environment ?? {}));
    const ours = settings.filter((name) => /^(LAMPPOST|INFLUX)_/.test(name));
    const asked = [...text.matchAll(VARIABLE)].map((match) => match[1]);
    expect(ours.length).toBeGreaterThan(8);
    expect([...ours, ...asked].filter((name) => !exampleNames.includes(name))).toEqual([]);
  });

  it("configures the service as the service reads it", () => {
    const config = loadConfig(environmentOf("lamppost", SECRETS));
    expect([config.http.host, config.mqtt.host, config.adminToken]).toEqual([
      "0.0.0.0",
      "0.0.0.0",
      SECRETS.LAMPPOST_ADMIN_TOKEN,
    ]);
    const influx = environmentOf("influxdb", SECRETS);
    expect(config.store).toEqual({
      kind: "influxdb",
      url: "http://influxdb:8086",
      flavour: {
        token: influx.DOCKER_INFLUXDB_INIT_ADMIN_TOKEN,
        org: influx.DOCKER_INFLUXDB_INIT_ORG,
        bucket: influx.DOCKER_INFLUXDB_INIT_BUCKET,
      },
    });
    expect(() => loadConfig(environmentOf("simulator", SECRETS))).not.toThrow();
  });

  it.each(Object.keys(SECRETS))("does not start without %s", (missing) => {
    const env = Object.fromEntries(Object.entries(SECRETS).filter(([name]) => name !== missing));
    const start = () => Object.keys(compose().services).map((name) => environmentOf(name, env));
    expect(start).toThrow(`${missing} is required: set it in .env`);
  });

  it("has no secret with a default", () => {
    const all = Object.values(compose().services).flatMap((service) => Object.entries(service.environment ?? {}));
    const secrets = all.filter(([name]) => /TOKEN|PASSWORD|SECRET|KEY/.test(name));
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    expect(secrets.filter(([, value]) => !/^\$\{[A-Z_]+:\?[^}]+\}$/.test(String(value)))).toEqual([]);
  });

  it("opens its ports to this machine only", () => {
    const ports = Object.values(compose().services).flatMap((service) => service.ports ?? []);
    expect(ports).toEqual(["127.0.0.1:8080:8080", "127.0.0.1:1883:1883"]);
  });

  it("names only services, volumes and checks that are there", () => {
    const { services, volumes } = compose();
    for (const service of Object.values(services)) {
      for (const mount of service.volumes ?? []) expect(Object.keys(volumes)).toContain(mount.split(":")[0]);
      for (const needed of Object.keys(service.depends_on ?? {})) {
        expect(services[needed]?.healthcheck?.test, needed).toBeDefined();
      }
    }
    expect(services.simulator?.command?.join(" ")).toBe(
      "./lamppost simulate city --url http://lamppost:8080 --mqtt mqtt://lamppost:1883",
    );
  });
});

describe("the image", () => {
  const instruction = (name: string) => new RegExp(`^\\s*${name} (.*)$`, "m").exec(dockerfile)?.[1];

  it("runs the service as a user without rights, with its data on a volume", () => {
    expect(JSON.parse(dockerfile.match(/^CMD (.*)$/m)![1]!)).toEqual(["./lamppost", "start"]);
    expect([instruction("USER"), instruction("VOLUME"), instruction("EXPOSE")]).toEqual(["node", "/data", "8080 1883"]);
    expect(dockerfile.indexOf("USER node")).toBeLessThan(dockerfile.indexOf("VOLUME /data"));
  });

  it("is built without this machine's secrets and data", () => {
    const ignored = read(".dockerignore").split("\n");
    for (const name of [".env", ".git", "data", "node_modules"]) expect(ignored).toContain(name);
  });

  it.each<[string, string[]]>([
    ["by itself", JSON.parse(instruction("CMD")!)],
    ["in Compose", compose().services.lamppost!.healthcheck!.test!.slice(1)],
  ])("is healthy if and only if /livez says so, %s", async (_, [runtime, ...command]) => {
    expect(runtime).toBe("node_modules/.bin/node");
    const asked: (string | undefined)[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = String((server.address() as AddressInfo).port);
    const env = { LAMPPOST_HTTP_PORT: port };
    const args = command.map((part) => part.replace("127.0.0.1:8080", `127.0.0.1:${port}`));
    const run = async () => (await once(execFile(process.execPath, args, { env }), "exit"))[0];
    expect(await run()).toBe(0);
    status = 503;
    expect(await run()).toBe(1);
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    expect(await run()).toBe(1);
    expect(asked).toEqual(["/livez", "/livez"]);
  });
});
