import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createCertificateWatch, readTls } from "../../app/certificates.ts";
import { SILENT } from "../../model/log.ts";
import { DAY_MS } from "../../model/time.ts";

const folder = mkdtempSync(join(tmpdir(), "lamppost-certificates-"));
afterAll(() => rmSync(folder, { recursive: true }));

function make(name: string, days: number) {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", `/CN=${name}`, "-days", String(days)];
  execFileSync("openssl", ["req", "-x509", ...newKey, "-keyout", keyFile, "-out", certFile, ...subject], {
    stdio: "ignore",
  });
  return { certFile, keyFile };
}

it("takes a renewed certificate into use once it is whole, and warns for 30 days before the end", () => {
  const pair = make("used", 100);
  const files = { pairs: [pair] };
  const renewed = make("renewed", 300);
  const used: string[] = [];
  let now = Date.now();
  const watch = createCertificateWatch({
    files,
    first: readTls(files),
    use: ({ cert }) => void used.push(String(cert)),
    now: () => now,
    log: SILENT,
  });
  watch.look();
  expect(used).toEqual([]);
  expect(watch.health()).toMatchObject({ state: "ok" });

  now += 71 * DAY_MS;
  expect(watch.health()).toMatchObject({
    state: "degraded",
    ready: true,
    reason: expect.stringContaining("expires on"),
  });
  now += 40 * DAY_MS;
  expect(watch.health()).toMatchObject({ reason: expect.stringContaining("has expired on") });

  // Half of it: the certificate, and not yet its key.
  copyFileSync(renewed.certFile, pair.certFile);
  watch.look();
  expect(used).toEqual([]);
  expect(watch.health()).toMatchObject({ reason: expect.stringContaining("do not belong together") });
  writeFileSync(pair.certFile, "");
  watch.look();
  expect(watch.health()).toMatchObject({ reason: expect.stringContaining("holds no certificate") });

  copyFileSync(renewed.certFile, pair.certFile);
  copyFileSync(renewed.keyFile, pair.keyFile);
  watch.look();
  watch.look();
  expect(used).toEqual([readFileSync(renewed.certFile, "utf8")]);
  expect(watch.health()).toMatchObject({ state: "ok" });
});
