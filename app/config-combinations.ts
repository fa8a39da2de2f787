type Given = Record<string, string | undefined>;

/** Found here and not by the second listener, after store and journal were opened. Port 0 is any free one. */
function samePorts(given: Given): string[] {
  const ports = [
    ["LAMPPOST_HTTP_PORT", given.LAMPPOST_HTTP_PORT ?? "8080"],
    ["LAMPPOST_HTTPS_PORT", given.LAMPPOST_HTTPS_PORT ?? "0"],
    ["LAMPPOST_MQTT_PORT", given.LAMPPOST_MQTT_PORT ?? "1883"],
    ["LAMPPOST_MQTTS_PORT", given.LAMPPOST_MQTTS_PORT ?? "0"],
  ] as const;
  return ports.flatMap(([name, port], place) => {
    const taken = ports.slice(0, place).find(([, other]) => Number(other) === Number(port) && Number(port) !== 0);
    return taken ? [`${name}: ${port} is ${taken[0]} already`] : [];
  });
}

/** Mistakes that no setting makes by itself. `given` as they were written. */
export function combinations(given: Given): string[] {
  const mistakes: string[] = [];
  for (const name of ["LAMPPOST_MQTTS_PORT", "LAMPPOST_HTTPS_PORT"] as const)
    if (given[name] && !(given.LAMPPOST_TLS_CERT && given.LAMPPOST_TLS_KEY))
      mistakes.push(`${name}: needs LAMPPOST_TLS_CERT and LAMPPOST_TLS_KEY (PEM files)`);
  const [certs, keys] = [given.LAMPPOST_TLS_CERT, given.LAMPPOST_TLS_KEY].map((list = "") => list.split(",").length);
  if (certs !== keys)
    mistakes.push(
      `LAMPPOST_TLS_KEY: there are ${certs} certificates and ${keys} keys; each needs its own, in one order`,
    );
  if (given.LAMPPOST_MQTT_PORT === "off" && !given.LAMPPOST_MQTTS_PORT)
    mistakes.push("LAMPPOST_MQTT_PORT: off needs LAMPPOST_MQTTS_PORT, or there would be no MQTT at all");
  if (given.LAMPPOST_TLS_CRL && !given.LAMPPOST_TLS_CLIENT_CA)
    mistakes.push("LAMPPOST_TLS_CRL: needs LAMPPOST_TLS_CLIENT_CA, whose certificates it takes back");
  mistakes.push(...samePorts(given));
  if (given.LAMPPOST_MQTT_SOURCE_CA && !given.LAMPPOST_MQTT_SOURCE_URL?.startsWith("mqtts:"))
    mistakes.push("LAMPPOST_MQTT_SOURCE_CA: needs an mqtts:// address in LAMPPOST_MQTT_SOURCE_URL");
  mistakes.push(...passwordMistakes("LAMPPOST_MQTT_SOURCE", given), ...passwordMistakes("LAMPPOST_SMTP", given));
  if (!given.LAMPPOST_SMTP_URL !== !given.LAMPPOST_SMTP_FROM)
    mistakes.push("LAMPPOST_SMTP_URL: LAMPPOST_SMTP_URL and LAMPPOST_SMTP_FROM go together");
  if (given.LAMPPOST_STORE !== "influxdb") return mistakes;
  if (!given.INFLUX_URL) mistakes.push("INFLUX_URL: needed when LAMPPOST_STORE=influxdb");
  const second = given.INFLUX_TOKEN && given.INFLUX_ORG && given.INFLUX_BUCKET;
  if (!second && !given.INFLUX_DATABASE)
    mistakes.push(
      "INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET (2.x) or INFLUX_DATABASE (1.x): needed when LAMPPOST_STORE=influxdb",
    );
  if (second && given.INFLUX_DATABASE)
    mistakes.push("INFLUX_DATABASE: set it for 1.x or the token, org and bucket for 2.x, not both");
  return [...mistakes, ...influxShapes(given)];
}

/** What people paste: the address of the page, and tokens with what stood around them. Never shows the token. */
function influxShapes(given: Given): string[] {
  const mistakes: string[] = [];
  const { INFLUX_URL: address = "", INFLUX_TOKEN: token = "" } = given;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && /\/(orgs|signin|onboarding|load-data|api|query|write)(\/|$)/.test(url.pathname))
    mistakes.push(`INFLUX_URL: this is the address of a page of InfluxDB; give its beginning only: ${url.origin}`);
  else if (url && (url.search || url.hash))
    mistakes.push(`INFLUX_URL: give the server's address only, without what follows ? or #: ${url.origin}`);
  if (/^(Token|Bearer)\s/i.test(token)) mistakes.push('INFLUX_TOKEN: leave out the word "Token" or "Bearer" before it');
  else if (/^["'`]|["'`]$/.test(token)) mistakes.push("INFLUX_TOKEN: leave out the quotes around it");
  else if (/\s/.test(token)) mistakes.push("INFLUX_TOKEN: there are spaces or line breaks in it; a token has none");
  else if (/[^\x21-\x7e]/.test(token)) mistakes.push("INFLUX_TOKEN: there are characters in it that no token has");
  for (const name of ["INFLUX_ORG", "INFLUX_BUCKET", "INFLUX_DATABASE"]) {
    const value = given[name] ?? "";
    if (value !== value.trim() || /\p{Cc}/u.test(value))
      mistakes.push(`${name}: there are spaces at its ends or line breaks in it`);
    if (name !== "INFLUX_ORG" && value.startsWith("_"))
      mistakes.push(`${name}: names that begin with _ are InfluxDB's own; use another`);
  }
  return mistakes;
}

/** A password beside an address needs a user in it, and no password. */
function passwordMistakes(prefix: "LAMPPOST_MQTT_SOURCE" | "LAMPPOST_SMTP", given: Given) {
  const address = given[`${prefix}_URL`] ?? "";
  if (!given[`${prefix}_PASSWORD`] || (address !== "" && !URL.canParse(address))) return [];
  const url = address === "" ? undefined : new URL(address);
  if (url?.username && !url.password) return [];
  return [`${prefix}_PASSWORD: needs ${prefix}_URL with a user name and without a password, as in //user@host`];
}
