import { type Fault, fault } from "../../model/rejection.ts";
import { fieldsOf, isRecord } from "./fields.ts";
import { type About, type Format, nothing, type Opened, oneFault, type Sample } from "./format.ts";
import { openJson } from "./json.ts";

type Json = Readonly<Record<string, unknown>>;

const record = (value: unknown): Json => (isRecord(value) ? value : {});
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const NOT_AN_OBJECT = fault("malformed_reading", "The message is not a JSON object.");

/** An uplink is heard by several gateways: the best of them says how well. */
function radioOf(metadata: unknown): Json {
  let best: Json = {};
  if (!Array.isArray(metadata)) return best;
  for (const one of metadata) {
    const rssi = record(one).rssi;
    if (typeof rssi === "number" && (typeof best.rssi !== "number" || rssi > best.rssi)) best = record(one);
  }
  return best;
}

/** Said about the device, not by it: alone it is no reading. */
function radioLabels(metadata: unknown): Json {
  const { rssi, snr } = radioOf(metadata);
  // The network server leaves a 0 out.
  return rssi === undefined ? {} : { "rx.rssi": rssi, "rx.snr": snr ?? 0 };
}

/**
 * The Things Stack v3: messages of its webhooks and of its MQTT. protobuf's JSON leaves out what is empty, so a counter
 * that is missing is 0. Without a payload formatter there is nothing to read: what the bytes mean is never guessed.
 */
export const tts: Format = {
  answer: 200,
  topics: ["v3/#"],
  wants: [],
  open(payload) {
    const opened = openJson(payload);
    if ("reason" in opened) return oneFault(opened);
    if (!isRecord(opened.value)) return oneFault(NOT_AN_OBJECT);
    const message = opened.value;
    const uplink = message.uplink_message ?? message.uplink_normalized;
    if (isRecord(uplink)) return openUplink(message, uplink);
    const isOther = Object.keys(message).some((key) => OTHER_EVENTS.test(key));
    return isOther ? nothing() : oneFault(fault("malformed_reading", "It has no uplink_message."));
  },
};

const OTHER_EVENTS = /^(?:join_accept|location_solved|service_data|downlink_\w+)$/;
const NO_FORMATTER = "It has frm_payload only: switch on a payload formatter for this device in The Things Stack.";

function openUplink(message: Json, uplink: Json): Opened {
  const ids = record(message.end_device_ids);
  const eui = text(ids.dev_eui)?.toLowerCase();
  if (message.simulated === true || uplink.simulated === true)
    return oneFault(fault("simulated", "The Things Stack says that this uplink is simulated."));
  const labels = {
    dev_eui: eui,
    device_id: ids.device_id,
    application_id: record(ids.application_ids).application_id,
    f_port: uplink.f_port ?? 0,
    ...radioLabels(uplink.rx_metadata),
  };
  const device = eui ?? text(ids.device_id);
  const received = uplink.received_at ?? message.received_at;
  const normalized = [uplink.normalized_payload].flat().filter(isRecord);
  const decoded = isRecord(uplink.decoded_payload) ? uplink.decoded_payload : undefined;
  const seq = typeof uplink.f_cnt === "number" ? uplink.f_cnt : 0;
  const common = { device, labels, seq, empty: decoded ? undefined : NO_FORMATTER };
  const samples = (normalized.length > 0 ? normalized : [{}]).map((one, index): Sample => {
    const { time, ...values } = one;
    const fields = index === 0 && decoded ? fieldsOf(decoded) : new Map<string, unknown>();
    for (const [name, value] of fieldsOf(values)) fields.set(`normalized.${name}`, value);
    return { ...common, fields, time: time ?? received };
  });
  return { items: samples };
}

/** ChirpStack v4: its HTTP integration (`?event=up`) and its MQTT one, with the JSON marshaler. */
export const chirpstack: Format = {
  answer: 200,
  topics: ["application/#"],
  wants: ["query.event"],
  open(payload, about) {
    const opened = openJson(payload);
    if ("reason" in opened) return oneFault(isProtobuf(payload) ? PROTOBUF : opened);
    if (!isRecord(opened.value)) return oneFault(NOT_AN_OBJECT);
    return openEvent(opened.value, eventOf(opened.value, about));
  },
};

const PROTOBUF: Fault = fault(
  "malformed_json",
  "This is Protobuf: set the integration's payload marshaler to JSON in ChirpStack.",
);
const NO_CODEC = "It has data only: switch on a payload codec in the device profile in ChirpStack.";
const OTHER = new Set(["ack", "txack", "location", "integration"]);
const TEXT_CHARS_MAX = 200;

/** A field of length-delimited type comes first in its messages. */
const isProtobuf = (payload: Uint8Array) => payload[0] === 0x0a && payload[1] !== 0x7b && payload.includes(0);

function eventOf(message: Json, { levels, params }: About): string | undefined {
  const named = params.get("query.event") ?? (levels[4] === "event" ? levels[5] : undefined);
  if (named !== undefined) return named;
  if ("fCnt" in message || "data" in message || "object" in message || "rxInfo" in message) return "up";
  if ("batteryLevel" in message || "batteryLevelUnavailable" in message) return "status";
  if ("level" in message && "description" in message) return "log";
  return "devAddr" in message ? "join" : undefined;
}

function openEvent(message: Json, event: string | undefined): Opened {
  const info = record(message.deviceInfo);
  const device = text(info.devEui)?.toLowerCase();
  const tags = Object.entries(record(info.tags)).map(([name, value]) => [`tags.${name}`, value]);
  const labels = {
    devEui: device,
    deviceName: info.deviceName,
    applicationName: info.applicationName,
    deviceProfileName: info.deviceProfileName,
    fPort: message.fPort ?? 0,
    event,
    ...Object.fromEntries(tags),
  };
  const time = message.time;
  switch (event) {
    case "up": {
      const decoded = isRecord(message.object) ? message.object : undefined;
      const fields = decoded ? fieldsOf(decoded) : new Map<string, unknown>();
      const seq = typeof message.fCnt === "number" ? message.fCnt : 0;
      const isEmpty = decoded === undefined || Object.keys(decoded).length === 0;
      return {
        items: [
          {
            device,
            fields,
            labels: { ...labels, ...radioLabels(message.rxInfo) },
            time,
            seq,
            empty: isEmpty ? NO_CODEC : undefined,
          },
        ],
      };
    }
    case "status": {
      // 0 % and "unavailable" look alike without the other field; mains has no battery.
      if (message.batteryLevelUnavailable === true || message.externalPowerSource === true) return nothing();
      return { items: [{ device, fields: new Map([["battery", message.batteryLevel ?? 0]]), labels, time }] };
    }
    case "log": {
      if (message.level !== "ERROR") return nothing();
      const said = [message.code, message.description].filter((one) => typeof one === "string").join(": ");
      const why = `The network server says of this device: ${said.slice(0, TEXT_CHARS_MAX)}`;
      return { items: [{ device, fields: new Map(), labels, time, empty: why }] };
    }
    case "join":
      return { items: [], ignored: 1, ...(device && { statuses: [{ device, online: true }] }) };
    default:
      if (event !== undefined && OTHER.has(event)) return nothing();
      return oneFault(fault("malformed_reading", "It is no event of ChirpStack that is known here."));
  }
}
