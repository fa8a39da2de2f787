import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";

export type Bucket2 = { readonly id: string; readonly orgID: string; readonly name: string };
export type Influxd2 = Awaited<ReturnType<typeof startInfluxd2>>;

/** A real InfluxDB 2.x of its own on loopback, set up with organisation "city" and an operator's token. */
export async function startInfluxd2(binary: string) {
  const folder = await mkdtemp(join(tmpdir(), "lamppost-influxd2-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const paths = ["bolt", "sqlite", "engine"].flatMap((name) => [`--${name}-path`, join(folder, name)]);
  const server = spawn(binary, ["run", "--reporting-disabled", "--http-bind-address", `127.0.0.1:${port}`, ...paths], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stopped = once(server, "close");
  const seen: string[] = [];
  for (const stream of [server.stdout, server.stderr]) createInterface(stream).on("line", (line) => seen.push(line));
  const operator = "operator-token-of-a-test";
  for (;;) {
    if (server.exitCode !== null) throw new Error(`influxd ended at once:\n${seen.join("\n")}`);
    if (
      await fetch(`${url}/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    await after(50);
  }

  async function api<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Token ${operator}`, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }
  const account = { username: "city", password: "password-of-a-test", org: "city", bucket: "first", token: operator };
  const { org } = await api<{ org: { id: string } }>("POST", "/api/v2/setup", account);
  const orgs = new Map([["city", org.id]]);

  return {
    url,
    operator,
    api,
    async addOrg(name: string): Promise<void> {
      orgs.set(name, (await api<{ id: string }>("POST", "/api/v2/orgs", { name })).id);
    },
    addBucket(orgName: string, name: string): Promise<Bucket2> {
      return api("POST", "/api/v2/buckets", { orgID: orgs.get(orgName), name, retentionRules: [] });
    },
    dropBucket: ({ id }: Bucket2) => api<void>("DELETE", `/api/v2/buckets/${id}`),
    async addToken({ id, orgID }: Bucket2, rights: readonly ("read" | "write")[]): Promise<string> {
      const permissions = rights.map((action) => ({ action, resource: { type: "buckets", id, orgID } }));
      return (await api<{ token: string }>("POST", "/api/v2/authorizations", { orgID, permissions })).token;
    },
    addMapping({ id, orgID }: Bucket2, database: string): Promise<unknown> {
      const mapping = { bucketID: id, orgID, database, retention_policy: "autogen", default: true };
      return api("POST", "/api/v2/dbrps", mapping);
    },
    async write({ orgID, id }: Bucket2, lines: readonly string[]): Promise<void> {
      const answer = await fetch(`${url}/api/v2/write?${new URLSearchParams({ orgID, bucket: id, precision: "ms" })}`, {
        method: "POST",
        headers: { authorization: `Token ${operator}` },
        body: lines.join("\n"),
      });
      if (answer.status !== 204) throw new Error(`${answer.status} ${await answer.text()}`);
    },
    /** Points with a field of this name. */
    async count({ orgID, name }: Bucket2, field: string): Promise<number> {
      const query = `from(bucket: ${JSON.stringify(name)}) |> range(start: 0, stop: 2200-01-01T00:00:00Z)
        |> filter(fn: (r) => r._field == "${field}") |> map(fn: (r) => ({_value: 1})) |> group() |> sum()`;
      const answer = await fetch(`${url}/api/v2/query?orgID=${orgID}`, {
        method: "POST",
        headers: { authorization: `Token ${operator}`, "content-type": "application/vnd.flux" },
        body: query,
      });
      const rows = (await answer.text()).trim().split(/\r?\n/);
      return Number(rows[1]?.split(",").at(-1) ?? 0);
    },
    async stop(): Promise<void> {
      server.kill();
      await stopped;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
