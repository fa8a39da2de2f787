import { readFileSync } from "node:fs";
import { type ApiOptions, LOOPBACK_HOSTS } from "./api/deps.ts";
import type { Config } from "./config.ts";

/** What the MQTT listeners need; reads the TLS files, and throws if they cannot be read. */
export function listenOptions({ mqtt }: Config) {
  const tls = mqtt.tls && {
    port: mqtt.tls.port,
    cert: readFileSync(mqtt.tls.certFile, "utf8"),
    key: readFileSync(mqtt.tls.keyFile, "utf8"),
  };
  return { host: mqtt.host, port: mqtt.port, webSocket: mqtt.webSocket, tls };
}

/** Bound to loopback, only loopback names are answered (DNS rebinding); elsewhere what is configured, or any name. */
function hostsAllowed({ http }: Config): readonly string[] | undefined {
  if (http.allowedHosts.length > 0) return http.allowedHosts;
  return isLoopback(http.host) ? LOOPBACK_HOSTS : undefined;
}

/** Who may ask by which name, whose word about the real caller is believed, how many may ask at once, and which hosts only those who may view are told. */
export function callersOf(
  config: Config,
): Pick<ApiOptions, "hostsAllowed" | "proxiesTrusted" | "limits" | "hostsHidden"> {
  const { proxiesTrusted, connectionsMax, connectionsPerAddressMax, requestMs } = config.http;
  const hosts = hostsAllowed(config);
  const limits = { connectionsMax, connectionsPerAddressMax, requestMs };
  return { ...(hosts ? { hostsAllowed: hosts } : {}), proxiesTrusted, limits, hostsHidden: hostsHidden(config) };
}

function hostsHidden({ store, mqttSource, notify }: Config): readonly string[] {
  const urls = [...(store.kind === "influxdb" ? [store.url] : []), ...(notify.smtp ? [notify.smtp.url] : [])];
  return [...urls.map((url) => new URL(url).hostname), ...(mqttSource ? [mqttSource.host] : [])];
}

const isLoopback = (host: string) => host === "localhost" || host === "::1" || host.startsWith("127.");
/** What a client on this machine puts into a URL. */
export const hostName = (host: string) =>
  host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
