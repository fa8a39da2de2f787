import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A certificate that signs itself, and its key, as PEM files in `folder`; for `names` beside loopback. */
export function makeCertificate(folder: string, name: string, { days = 100, names = ["localhost"] } = {}) {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const alternative = [...names.map((one) => `DNS:${one}`), "IP:127.0.0.1"].join(",");
  const subject = ["-subj", `/CN=${name}`, "-days", String(days), "-addext", `subjectAltName=${alternative}`];
  execFileSync("openssl", ["req", "-x509", ...newKey, "-keyout", keyFile, "-out", certFile, ...subject], {
    stdio: "ignore",
  });
  return { certFile, keyFile };
}
