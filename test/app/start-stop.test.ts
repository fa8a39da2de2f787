import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { createStopStack } from "../../app/lifecycle.ts";
import { SILENT } from "../../model/log.ts";
import { type City, cityEnv, HOME, startCity } from "../helpers/city.ts";

const scratch = mkdtempSync(join(tmpdir(), "lamppost-start-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(scratch, `data-${++folders}`);

/** How a start that must fail has ended: code, and what it said beside its log (lines of JSON). */
async function failedStart(env: Record<string, string>, dataDir = newFolder(), options: { uid?: number } = {}) {
  const child = spawn(join(HOME, "lamppost"), ["start", "--json"], {
    env: cityEnv(dataDir, env),
    stdio: ["ignore", "ignore", "pipe"],
    ...options,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stderr!.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "exit");
  const lines = text.trim().split("\n");
  return {
    code,
    said: lines.filter((line) => !line.startsWith("{")),
    log: lines.filter((line) => line.startsWith("{")),
  };
}

type Outcome = {
  readonly message?: string;
  readonly exitCode?: number;
  readonly ready?: number;
  readonly parts?: readonly string[];
};

/** The same for starts of which only the words are of interest: one after the other in one process (`helpers/starts.ts`). */
async function starts(...envs: Record<string, string>[]): Promise<Outcome[]> {
  const child = spawn(process.execPath, [join(HOME, "test/helpers/starts.ts"), newFolder(), JSON.stringify(envs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [text, [code]] = await Promise.all([textOf(child.stdout), once(child, "exit")]);
  // It does not exit by itself as long as a start has left something running.
  expect(code).toBe(0);
  return JSON.parse(text);
}

async function started(env: Record<string, string>, dataDir: string): Promise<City> {
  const city = await startCity({ env }, dataDir);
  onTestFinished(() => city.remove());
  return city;
}

describe("a start that fails", () => {
  const failingAt = (part: string) => ({ LAMPPOST_FAULT_AT: `throw=start:${part}` });

  /** A start that works, one that fails after each of the parts, and one that works again. */
  async function expectNothingLeft(parts: readonly string[]): Promise<void> {
    const [first, ...failures] = await starts({}, ...parts.map(failingAt), {});
    const last = failures.pop()!;
    expect([first, last]).toMatchObject([{ ready: 200 }, { ready: 200 }]);
    expect(last.parts).toEqual(expect.arrayContaining([...parts]));
    expect(failures).toEqual(parts.map((part) => ({ message: `a fault was asked for at start:${part}`, exitCode: 1 })));
  }

  it("early, halfway or at the end leaves nothing behind: nothing runs on, and the next start finds everything free", () =>
    expectNothingLeft(["records", "edge thread", "service.json"]));

  it("at any step leaves nothing behind", { tags: ["long"] }, async () => {
    const [{ parts } = {}] = await starts({});
    expect(parts).toEqual(
      expect.arrayContaining(["data folder", "records", "reading store", "edge thread", "worker", "alerts", "api"]),
    );
    await expectNothingLeft(parts!);
  });

  it("ends the process with one sentence and a code", async () => {
    const { code, said } = await failedStart(failingAt("edge thread"));
    expect(said).toEqual(["lamppost: a fault was asked for at start:edge thread"]);
    expect(code).toBe(1);
  });

  it("says nothing but that sentence of a port in use", async () => {
    const { code, said, log } = await failedStart({ LAMPPOST_MQTT_PORT: String(await takenPort()) });
    expect(said).toEqual([expect.stringMatching(/^lamppost: port \d+ on 127\.0\.0\.1 is in use/)]);
    expect(code).toBe(1);
    expect(log).toEqual([]);
  });

  it("names the setting of a port in use", async () => {
    const port = await takenPort();
    const settings = ["LAMPPOST_HTTP_PORT", "LAMPPOST_MQTT_PORT", "LAMPPOST_MQTTS_PORT"];
    const tls = tlsFiles();
    expect(await starts(...settings.map((setting) => ({ ...tls, [setting]: String(port) })))).toEqual(
      settings.map((setting) => ({
        message: `port ${port} on 127.0.0.1 is in use by another program: stop it, or set ${setting} to another port`,
        exitCode: 1,
      })),
    );
  });

  it("names the setting of an address that this machine has not", async () => {
    const hosts = { LAMPPOST_MQTT_HOST: "192.0.2.7", LAMPPOST_HTTP_HOST: "no-such-name.invalid" };
    const outcomes = await starts(...Object.entries(hosts).map(([setting, host]) => ({ [setting]: host })));
    expect(outcomes).toEqual([
      { message: expect.stringMatching(/^this machine has no address 192\.0\.2\.7.*LAMPPOST_MQTT_HOST/), exitCode: 1 },
      { message: expect.stringMatching(/no address no-such-name\.invalid.*LAMPPOST_HTTP_HOST/), exitCode: 1 },
    ]);
  });

  it("names the file and the setting where TLS files are missing, are something else, or do not fit together", async () => {
    const { LAMPPOST_TLS_CERT: cert, LAMPPOST_TLS_KEY: key, ...rest } = tlsFiles();
    const other = tlsFiles().LAMPPOST_TLS_KEY;
    const missing = join(scratch, "nowhere.pem");
    const pairs = [
      [missing, key],
      ["/dev/zero", key],
      [key, key],
      [cert, cert],
      [cert, other],
    ] as const;
    const outcomes = await starts(
      ...pairs.map(([LAMPPOST_TLS_CERT, LAMPPOST_TLS_KEY]) => ({ ...rest, LAMPPOST_TLS_CERT, LAMPPOST_TLS_KEY })),
    );
    const words = [
      /nowhere\.pem is not there \(ENOENT\): check LAMPPOST_TLS_CERT$/,
      /\/dev\/zero is a device or pipe.*check LAMPPOST_TLS_CERT$/,
      /holds no certificate.*LAMPPOST_TLS_CERT/,
      /holds no private key.*LAMPPOST_TLS_KEY/,
      /do not belong together.*LAMPPOST_TLS_CERT.*LAMPPOST_TLS_KEY/,
    ];
    expect(outcomes).toEqual(words.map((text) => ({ message: expect.stringMatching(text), exitCode: 78 })));
  });

  it("says which folder is wrong where the data folder is a file, or another process has it", async () => {
    const path = join(scratch, "a-file");
    writeFileSync(path, "");
    const { code, said } = await failedStart({}, path);
    expect(said).toEqual([expect.stringMatching(/a-file.*check LAMPPOST_DATA_DIR/)]);
    expect(code).toBe(78);
    const city = await started({}, newFolder());
    const second = await failedStart({}, city.dataDir);
    expect(second.said).toEqual([
      `lamppost: The data directory ${city.dataDir} is in use by another lamppost process.`,
    ]);
    expect(second.code).toBe(1);
    expect((await city.call("/livez")).status).toBe(200);
  });

  it.runIf(process.getuid?.() === 0)("says what an account without rights may not do", async () => {
    const dataDir = newFolder();
    mkdirSync(dataDir, { mode: 0o700 });
    const nobody = { uid: 65_534 };
    const folder = await failedStart({}, dataDir, nobody);
    expect(folder.said).toEqual([
      expect.stringMatching(/may not be (read or )?written by this user.*LAMPPOST_DATA_DIR/),
    ]);
    expect(folder.code).toBe(78);
    const own = mkdtempSync(join(tmpdir(), "lamppost-nobody-"));
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
    execFileSync("chown", ["65534", own]);
    const port = await failedStart({ LAMPPOST_MQTT_PORT: "883" }, own, nobody);
    expect(port.said).toEqual([expect.stringMatching(/port 883 may not be opened by this user.*LAMPPOST_MQTT_PORT/)]);
    expect(port.code).toBe(78);
  });
});

it("a log that cannot be written loses lines and stops nothing", async () => {
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  const dataDir = newFolder();
  const child = spawn(join(HOME, "lamppost"), ["start", "--json"], {
    env: cityEnv(dataDir, { LAMPPOST_LOG_LEVEL: "debug" }),
    stdio: ["ignore", "pipe", full],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [ready] = await once(child.stdout!, "data");
  const { http } = JSON.parse(String(ready)) as { http: string };
  child.kill("SIGHUP");
  expect((await fetch(`${http}/livez`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

describe("signals", () => {
  it("SIGHUP ends nothing and says that nothing was reloaded", async () => {
    const city = await started({}, newFolder());
    process.kill(city.pid, "SIGHUP");
    expect((await city.call("/livez")).status).toBe(200);
    expect(await city.stop()).toBe(0);
    expect(city.said().stderr).toContain("SIGHUP: settings are read at the start only");
  });

  it("a stop that hangs is cut off, said, and ends with 1; the rest is stopped in order", async () => {
    const city = await started({ LAMPPOST_FAULT_AT: "hang=stop:worker", LAMPPOST_LOG_LEVEL: "debug" }, newFolder());
    expect(await city.stop()).toBe(1);
    const log = city
      .said()
      .stderr.split("\n")
      .filter((line) => line.startsWith("{"));
    const lines = log.map((line) => JSON.parse(line) as { msg: string; part?: string });
    expect(lines.filter(({ msg }) => msg.includes("cut off")).map(({ part }) => part)).toEqual(["worker"]);
    expect(lines.filter(({ msg }) => msg === "stopped").map(({ part }) => part)).toContain("records");
  });

  it("a second SIGTERM ends at once, and one while the service starts stops what has started", async () => {
    const city = await started({ LAMPPOST_FAULT_AT: "hang=stop:api" }, newFolder());
    process.kill(city.pid, "SIGTERM");
    await city.call("/livez").catch(() => {}); // the first one has arrived
    process.kill(city.pid, "SIGTERM");
    expect(await city.ended).toBe(1);
    const child = spawn(join(HOME, "lamppost"), ["start", "--json"], {
      env: cityEnv(newFolder(), { LAMPPOST_LOG_LEVEL: "info" }),
      stdio: ["ignore", "ignore", "pipe"],
    });
    await once(child.stderr!, "data"); // the first line of the log: the service starts
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("the stop stack", () => {
  it("stops the last started first, once, and goes on after one that throws", async () => {
    const order: string[] = [];
    const stack = createStopStack({ log: SILENT });
    stack.onStop("first", () => void order.push("first"));
    stack.onStop("second", () => {
      order.push("second");
      throw new Error("no");
    });
    stack.onStop("third", async () => void order.push("third"));
    expect(await Promise.all([stack.stop(), stack.stop()])).toEqual([[], []]);
    expect(order).toEqual(["third", "second", "first"]);
  });

  it("cuts off what hangs, tells those below, and waits for all together no longer than its limit", async () => {
    const told: boolean[] = [];
    const stack = createStopStack({ log: SILENT, withinMs: 300 });
    stack.onStop("below", (isClean) => void told.push(isClean));
    for (const name of ["a", "b", "c"]) stack.onStop(name, () => new Promise(() => {}), 200);
    stack.onStop("above", (isClean) => void told.push(isClean));
    expect(await stack.stop()).toEqual(["c", "b", "a"]);
    expect(told).toEqual([true, false]);
  });

  it("stops what a start that is called off has started in the meantime", async () => {
    const leaving = new AbortController();
    const stopped: string[] = [];
    const stack = createStopStack({ log: SILENT, signal: leaving.signal });
    stack.onStop("early", () => void stopped.push("early"));
    leaving.abort(new Error("SIGTERM"));
    await stack.stop();
    expect(() => stack.onStop("late", () => void stopped.push("late"))).toThrow("SIGTERM");
    await stack.stop();
    expect(stopped).toEqual(["early", "late"]);
  });
});

async function takenPort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  onTestFinished(() => void taken.close());
  return (taken.address() as { port: number }).port;
}

let certificates = 0;
function tlsFiles() {
  certificates += 1;
  const [cert, key] = [join(scratch, `cert-${certificates}.pem`), join(scratch, `key-${certificates}.pem`)];
  const subject = ["-subj", "/CN=localhost", "-days", "2"];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      key,
      "-out",
      cert,
      ...subject,
    ],
    { stdio: "ignore" },
  );
  return { LAMPPOST_MQTTS_PORT: "0", LAMPPOST_TLS_CERT: cert, LAMPPOST_TLS_KEY: key };
}
