import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { request as requestTls } from "node:https";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeCertificate } from "../helpers/certificate.ts";
import { type City, startCity } from "../helpers/city.ts";

const folder = mkdtempSync(join(tmpdir(), "lamppost-https-"));
const first = makeCertificate(folder, "first");
const other = makeCertificate(folder, "other", { names: ["city.example"] });
const renewed = makeCertificate(folder, "renewed");
const ca = [first, other, renewed].map(({ certFile }) => readFileSync(certFile));
const used = { certFile: join(folder, "used.pem"), keyFile: join(folder, "used.key") };
/** A balancer, as another address of this machine. */
const BALANCER = "127.0.0.2";

let city: City & { readonly https: string };
beforeAll(async () => {
  use(first);
  const env = {
    LAMPPOST_HTTPS_PORT: "0",
    LAMPPOST_TLS_CERT: `${used.certFile},${other.certFile}`,
    LAMPPOST_TLS_KEY: `${used.keyFile},${other.keyFile}`,
    LAMPPOST_PROXY_PROTOCOL_FROM: BALANCER,
    LAMPPOST_LOG_LEVEL: "info",
  };
  city = (await startCity({ env })) as typeof city;
});
afterAll(async () => {
  await city.remove();
  rmSync(folder, { recursive: true });
});

function use(pair: { certFile: string; keyFile: string }): void {
  copyFileSync(pair.certFile, used.certFile);
  copyFileSync(pair.keyFile, used.keyFile);
}

function ask(path: string, options: object = {}, body?: string): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    const asked = requestTls(`${city.https}${path}`, { ca, agent: false, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(Object.assign(response, { text })));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const port = () => Number(new URL(city.https).port);
const certificateFor = (servername: string) =>
  new Promise<string>((resolve, reject) => {
    const socket: TLSSocket = connect({ port: port(), host: "127.0.0.1", servername, ca }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on("error", reject);
  });

it("answers what HTTP answers, with cookies that only HTTPS carries, and says that it is there", async () => {
  const ready = JSON.parse((await ask("/readyz")).text);
  expect(ready.parts).toContainEqual({ part: "HTTPS", state: "ok", ready: true, reason: `port ${port()}` });
  const headers = { "content-type": "application/json" };
  const session = await ask("/api/v1/session", { method: "POST", headers }, JSON.stringify({ token: city.token }));
  expect(session.statusCode).toBe(201);
  expect(session.headers["set-cookie"]).toEqual(expect.arrayContaining([expect.stringMatching(/; Secure/)]));
  // Plain HTTP is there for this machine only, and so is HTTPS here: nothing for a browser to remember.
  expect(session.headers["strict-transport-security"]).toBeUndefined();
  const { stdout } = await city.cli("doctor");
  expect(stdout).toMatch(new RegExp(`ok +HTTPS +ok, port ${port()}`));
});

it("shows each name its certificate, and takes renewed ones without ending what is open", async () => {
  expect([await certificateFor("localhost"), await certificateFor("city.example")]).toEqual(["first", "other"]);
  const stream = await new Promise<IncomingMessage>((resolve, reject) =>
    requestTls(
      `${city.https}/api/v1/events`,
      { ca, agent: false, headers: { authorization: `Bearer ${city.token}` } },
      resolve,
    )
      .on("error", reject)
      .end(),
  );
  let ended = false;
  stream.on("close", () => {
    ended = true;
  });
  stream.on("error", () => {});
  stream.resume();
  use(renewed);
  process.kill(city.pid, "SIGHUP");
  while ((await certificateFor("localhost")) !== "renewed") await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await certificateFor("city.example")).toBe("other");
  expect(ended).toBe(false);
  stream.destroy();
});

/** TLS behind a header, as from the balancer; undefined where the service ends it. */
function through(header: string | Buffer, localAddress = BALANCER): Promise<string | undefined> {
  const body = JSON.stringify({ token: city.token });
  return new Promise((resolve) => {
    const below = connectTcp({ port: port(), host: "127.0.0.1", localAddress }, () => {
      below.write(header);
      const socket = connect({ socket: below, servername: "localhost", ca }, () =>
        socket.write(
          `POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        ),
      );
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(text === "" ? undefined : text.split("\r\n")[0]));
    });
    below.on("error", () => {});
  });
}

it("knows a client behind a balancer by the balancer's header, and takes one from nobody else", async () => {
  const line = "PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n";
  expect(await through(line)).toMatch(/^HTTP\/1\.1 201/);
  const audit = await city.api("/audit?limit=50");
  expect(JSON.stringify(audit)).toContain("203.0.113.7");
  expect(await through("PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n")).toBeUndefined();
  expect(await through("")).toBeUndefined();
  expect(await through(line, "127.0.0.3")).toBeUndefined();
});

it("keeps plain HTTP as it was", async () => {
  const status = await new Promise((resolve, reject) =>
    request(`${city.http}/livez`, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end(),
  );
  expect(status).toBe(200);
});
