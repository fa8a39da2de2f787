import { type ApiOptions, LOOPBACK_HOSTS } from "../api/deps.ts";
import type { TlsMaterial } from "../model/tls.ts";
import type { Config } from "./config.ts";
import { readSmallFile } from "./files.ts";

/** What the MQTT listeners need. */
export function listenOptions({ mqtt, readingsPerS, proxyProtocolFrom }: Config, material: TlsMaterial | undefined) {
  const { host, port, webSocket, tls, connectionsMax, connectionsPerAddressMax, readPastBytesMax } = mqtt;
  const device = rateOf(mqtt.devicePacketsPerS, DEVICE_BURST_S);
  const gateway = rateOf(mqtt.gatewayPacketsPerS, GATEWAY_BURST_S);
  const readings = readingRates(readingsPerS);
  const rates = { device, gateway, person: device, deviceReadings: readings.device, gatewayReadings: readings.gateway };
  const { sessionsPerAccountMax, replay } = mqtt;
  const sessionExpiryMaxS = replay.ageMs / 1_000;
  const { connectionsPerAccountMax, subscriptionsPerClientMax, subscriptionsPerUserMax, unreleasedPerAccountMax } =
    mqtt;
  const sessions = {
    sessionsPerAccountMax,
    sessionExpiryMaxS,
    connectionsPerAccountMax,
    // As many at once as there may be connections: after an outage all of them come back.
    logins: rateOf(LOGINS_PER_S, connectionsPerAccountMax / LOGINS_PER_S),
    subscriptionsPerClientMax,
    subscriptionsPerUserMax,
    unreleasedPerAccountMax,
  };
  const own = { connectionsMax, connectionsPerAddressMax, readPastBytesMax, rates, ...sessions };
  const limits = { ...own, proxiesTrusted: proxyProtocolFrom };
  return { host, port, webSocket, limits, tls: tls && material && { ...tls, ...material } };
}

/** What the external broker's client needs; reads the file of its authority, and throws if that cannot be read. */
export function sourceOptions({ mqttSource }: Config) {
  if (!mqttSource) return undefined;
  const { tls, ...source } = mqttSource;
  return { ...source, ...(tls && { tls: tls.caFile === undefined ? {} : { ca: readSmallFile(tls.caFile) } }) };
}

const LOGINS_PER_S = 20;
const DEVICE_BURST_S = 20;
const GATEWAY_BURST_S = 2;
/** Less than of packets: what one sends at once stands before others on the core thread. */
const DEVICE_READINGS_BURST_S = 5;
const rateOf = (perSecond: number, burstS: number) => ({ perSecond, burst: burstS * perSecond });
const readingRates = ({ device, gateway }: Config["readingsPerS"]) => ({
  device: rateOf(device, DEVICE_READINGS_BURST_S),
  gateway: rateOf(gateway, GATEWAY_BURST_S),
});

/** Bound to loopback, only loopback names are answered (DNS rebinding); elsewhere what is configured, or any name. */
function hostsAllowed({ http }: Config): readonly string[] | undefined {
  if (http.allowedHosts.length > 0) return http.allowedHosts;
  return isLoopback(http.host) ? LOOPBACK_HOSTS : undefined;
}

/** Other machines reach nothing but HTTPS and MQTT over TLS. */
const isTlsOnly = ({ http, mqtt }: Config) =>
  http.tls !== undefined &&
  !isLoopback(http.tls.host) &&
  isLoopback(http.host) &&
  (mqtt.port === undefined || !mqtt.webSocket || isLoopback(mqtt.host));

/** Who may ask by which name, whose word about the real caller is believed, how many may ask at once, and which hosts only those who may view are told. */
export function callersOf(
  config: Config,
): Pick<ApiOptions, "hostsAllowed" | "tlsAnyHost" | "tlsOnly" | "proxiesTrusted" | "limits" | "hostsHidden"> {
  const { host: _host, port: _port, tls: _tls, allowedHosts, proxiesTrusted, ...http } = config.http;
  const limits = { ...http, readingRates: readingRates(config.readingsPerS) };
  const hosts = hostsAllowed(config);
  const tls = { tlsAnyHost: allowedHosts.length === 0, tlsOnly: isTlsOnly(config) };
  return {
    ...(hosts ? { hostsAllowed: hosts } : {}),
    ...tls,
    proxiesTrusted,
    limits,
    hostsHidden: hostsHidden(config),
  };
}

function hostsHidden({ store, mqttSource, notify }: Config): readonly string[] {
  const urls = [...(store.kind === "influxdb" ? [store.url] : []), ...(notify.smtp ? [notify.smtp.url] : [])];
  return [...urls.map((url) => new URL(url).hostname), ...(mqttSource ? [mqttSource.host] : [])];
}

const isLoopback = (host: string) => host === "localhost" || host === "::1" || host.startsWith("127.");
/** What a client on this machine puts into a URL. */
export const hostName = (host: string) =>
  host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
