import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAllowList, createHttpPost } from "../../../alerts/notify/http-post.ts";

/** The connection goes to a checked address, and still the certificate must be that of the name. */
describe("a webhook over TLS", () => {
  const names: unknown[] = [];
  let server: Server;
  let cert: string;
  const authorities = getCACertificates("default");

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "lamppost-tls-"));
    const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const name = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"];
    execFileSync("openssl", ["req", "-x509", ...newKey, "-keyout", keyFile, "-out", certFile, ...name], {
      stdio: "ignore",
    });
    cert = readFileSync(certFile, "utf8");
    server = createServer({ key: readFileSync(keyFile), cert }, (_, response) => void response.writeHead(204).end());
    server.on("secureConnection", (socket) => void names.push(socket.servername));
    rmSync(folder, { recursive: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => {
    setDefaultCACertificates(authorities);
    server.close();
  });

  const resolve = async () => [{ address: "127.0.0.1", family: 4 as const }];
  const post = createHttpPost({ allow: createAllowList(["127.0.0.1"]), resolve });
  const ask = (host: string) => {
    const url = `https://${host}:${(server.address() as AddressInfo).port}/`;
    return post({ url, headers: {}, body: "{}", signal: AbortSignal.timeout(5_000) });
  };

  it("is refused where nobody vouches for the certificate", async () => {
    await expect(ask("hooks.example")).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  });

  it("is told with the name of the host, and only if the certificate is for that name", async () => {
    setDefaultCACertificates([...authorities, cert]);
    names.length = 0;
    expect(await ask("hooks.example")).toEqual({ status: 204 });
    expect(names).toEqual(["hooks.example"]);
    await expect(ask("other.example")).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });
});
