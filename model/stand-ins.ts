/**
 * What devices send in the place of a value they do not have. Outside what the hardware of a metric can output a stand-in
 * counts as missing; inside, where it is a known one of that metric, it is `missing` (no value can be told from it) or
 * `suspect` (it is probably none, and possibly a true one: kept and flagged). Keys are names of metrics.
 */
type Known = { readonly missing?: readonly number[]; readonly suspect?: readonly number[]; readonly source: string };

/**
 * The ends of 16, 24, 32, 53 and 64 bits, without and with a sign: "not available" of registers. Also of a sign and a
 * magnitude, all of whose bits are set (DHT22), which is netCDF's fill value of short and int, too.
 */
const INTEGER_ENDS: readonly number[] = [
  ...[65_535, 65_534, 32_767, -32_768, -32_767],
  ...[16_777_215, 8_388_607, -8_388_608],
  ...[4_294_967_295, 2_147_483_647, -2_147_483_648, -2_147_483_647],
  ...[Number.MAX_SAFE_INTEGER, 2 ** 64, 2 ** 63, -(2 ** 63)],
];
/** The same in tenths, hundredths and thousandths. */
const SCALED_ENDS: readonly number[] = [10, 100, 1000].flatMap((parts) => INTEGER_ENDS.map((end) => end / parts));

/**
 * Missing wherever the hardware could not have measured it. -200: the recordings of public networks; -127, 85: DS18B20 (no
 * answer on the wire, and its data sheet's value after power-up); -273.15: 0 K; 254, 255: LoRaWAN 1.0.4 DevStatusAns (a
 * full battery, not known); 99: 3GPP TS 27.007 +CSQ (not known); -1: counters and speeds without a vehicle; 163.835: 0x7FFF
 * in the two-hundredths of a degree of Sensirion's SEN5x (not known).
 */
const OUTSIDE: ReadonlySet<number> = new Set([
  ...INTEGER_ENDS,
  ...SCALED_ENDS,
  ...[-1, -99, -200, 99, 10_000],
  ...[-127, 127, -128, 128, 85, -273.15, 163.835, 254, 255],
]);

/**
 * Nines, below zero also sevens and eights, with a fraction or without: missing, below and above detection in the files of
 * weather services (NOAA GSOD 99.9, 999.9, 9999.9; ICARTT -7777, -8888, -9999). Two nines above zero may be a value in
 * another unit, such as 99.9 °F.
 */
const REPEATED = /^(?:9{3,}(?:\.9+)?|-9{2,}(?:\.9+)?|-7{3,}(?:\.7+)?|-8{3,}(?:\.8+)?)$/;
/** No hardware of a city measures so much: FLT_MAX, DBL_MAX, the fill values of netCDF (9.96921e36) and CF (1e20). */
const FILL_MIN = 1e20;
/** What a float of 32 bits keeps: 655.35 comes as 655.3499755859375. */
const FLOAT_DIGITS = 7;

const MODBUS = "SunSpec information models: 0x8000, 0xFFFF, 0xFFFFFFFF are registers that are not implemented";
const SCALED = "an end of 16 bits in tenths, hundredths or thousandths, which a true value rarely hits";
const NINES = "nines of loggers, and the ends of 8 and 16 bits, where a true value rarely is";

const TENTHS = [6553.5, 3276.7, -3276.8];
const HUNDREDTHS = [655.35, 327.67, -327.68];
const THOUSANDTHS = [65.535, 32.767, -32.768];
const SCALED_16 = [...TENTHS, ...HUNDREDTHS, ...THOUSANDTHS];

/** 999 of a large road's cars is a value of one hour in a thousand, 255 a common one: only of classes that few belong to. */
const FEW: Known = { suspect: [255, 999], source: NINES };
const MANY: Known = { suspect: [999], source: NINES };
const METER: Known = {
  missing: [
    4_294_967_295,
    2_147_483_647,
    ...[4_294_967_295, 2_147_483_647].flatMap((end) => [end / 10, end / 100, end / 1000]),
  ],
  suspect: [65_535, 32_767],
  source: MODBUS,
};
const POWER: Known = {
  missing: [65_535, 65_534, 32_767, -32_768],
  suspect: [...SCALED_16, -999, -9999],
  source: MODBUS,
};

/**
 * By metric, what its hardware could output, too. A stand-in that a healthy sensor often measures (255 cars an hour, 127
 * km/h, 99.9 %) is not here: a sensor that sends one has a tag of its own.
 */
const KNOWN: Readonly<Record<string, Known>> = {
  co2: { missing: [0, 65_500, 65_503], source: "NDIR sensors while they warm up, and their error codes" },
  pressure: { missing: [0], suspect: HUNDREDTHS, source: "a barometer that does not answer; ends of 16 bits" },
  pm25: { suspect: HUNDREDTHS, source: SCALED },
  pm10: { suspect: HUNDREDTHS, source: SCALED },
  pm1: { suspect: HUNDREDTHS, source: SCALED },
  no2: { suspect: HUNDREDTHS, source: SCALED },
  o3: { suspect: HUNDREDTHS, source: SCALED },
  so2: { suspect: HUNDREDTHS, source: SCALED },
  no: { suspect: HUNDREDTHS, source: SCALED },
  nox: { suspect: [...HUNDREDTHS, 999, 999.9], source: NINES },
  noise: { suspect: [127], source: "the end of 8 bits with a sign" },
  enclosureTemperature: { suspect: [85, 99.9], source: "DS18B20 data sheet: the value after power-up" },
  oilTemperature: { suspect: [127], source: "the end of 8 bits with a sign" },
  battery: { suspect: [0], source: "LoRaWAN 1.0.4 DevStatusAns: 0 is an external power source" },
  rssi: { suspect: [0, -128], source: "modems that have not measured it; the end of 8 bits with a sign" },
  uptime: { missing: [4_294_967_295], suspect: [4_294_967.295], source: "the end of 32 bits, in ms, too" },
  activePower: POWER,
  reactivePower: POWER,
  voltage: { missing: [65_535, 65_534, 32_767, 6553.5, 3276.7], suspect: [655.35, 327.67], source: MODBUS },
  current: { suspect: [...SCALED_16, -999], source: MODBUS },
  frequency: { missing: [65.535], suspect: [32.767], source: MODBUS },
  powerFactor: { missing: [1.27, -1.28, 2.55], source: "the ends of 8 bits in hundredths" },
  energyImport: METER,
  energyExport: METER,
  flow: { suspect: [9999, 6553.5, 3276.7], source: NINES },
  headway: { suspect: [999, 999.9, 255, 655.35, 327.67, 65.535, 32.767], source: NINES },
  queueLength: { suspect: [999, 9999, 655.35, 327.67, 6553.5, 3276.7], source: NINES },
  travelTime: { missing: [65_535], suspect: [9999, 32_767, 6553.5, 3276.7], source: NINES },
  carCount: MANY,
  bicycleCount: MANY,
  vanCount: FEW,
  lorryCount: FEW,
  busCount: FEW,
  motorcycleCount: FEW,
  pedestrianCount: { suspect: [9999, 32_767], source: NINES },
  windSpeed: { missing: [99.9], source: "WMO practice: nines stand for a missing value" },
};

/** Outside what the hardware can output: does `value` stand for none? */
export function isStandInOutside(metric: string, value: number): boolean {
  const known = KNOWN[metric]?.missing;
  if (OUTSIDE.has(value) || known?.includes(value)) return true;
  if (Math.abs(value) >= FILL_MIN) return Number.isFinite(value);
  const rounded = Number(value.toPrecision(FLOAT_DIGITS));
  return OUTSIDE.has(rounded) || known?.includes(rounded) === true || REPEATED.test(String(rounded));
}

const MISSING_TEXTS: ReadonlySet<string> = new Set([
  // What spreadsheets and people write in a field that has nothing.
  ...["", "n/a", "n.a.", "n.a", "na", "<na>", "n.d.", "nd", "k.a.", "k. a.", "s/d", "null", "none", "nil", "nat"],
  ...["#n/a", "#na", "#n/a n/a", "#null!", "#value!", "#div/0!", "#num!", "#ref!", "#name?"],
  ...["undefined", "undef", "missing", "no data", "nodata", "no_data", "not available", "invalid"],
  ...["error", "err", "fault", "fail", "failed", "timeout", "offline"],
  // Home Assistant's states of an entity that has no value.
  ...["unavailable", "unknown"],
  // What Arduino's Print writes for a float that is too large.
  ...["ovf", "overflow"],
]);
/** C's printf (glibc, and Microsoft's before and after 2015), JavaScript, Python and Arduino for a float that is none. */
const NO_FLOAT = /^[-+]?(?:nan(?:\([a-z0-9]{0,8}\))?|inf(?:inity)?|1\.#[a-z]{1,4}0{0,8})$/;
/** `-`, `---`, `???`, `####`. */
const NO_LETTERS = /^[-–—_.?*#/]+$/;
const MISSING_CHARS_MAX = 24;

/** A text in the place of a value, or of a time, that says that there is none. */
export function isMissingText(raw: unknown): boolean {
  if (typeof raw !== "string" || raw.length > MISSING_CHARS_MAX) return false;
  const text = raw.trim().toLowerCase();
  return MISSING_TEXTS.has(text) || NO_FLOAT.test(text) || NO_LETTERS.test(text);
}

const NONE: readonly number[] = Object.freeze([]);

/** The stand-ins that a metric's hardware could output, too: few, looked at for every value. */
export function standInsWithin(
  metric: string,
  [low, high]: readonly [number, number],
): { readonly missing: readonly number[]; readonly suspect: readonly number[] } {
  const within = (values: readonly number[] = NONE) => {
    const found = values.filter((value) => value >= low && value <= high);
    return found.length > 0 ? found : NONE;
  };
  return { missing: within(KNOWN[metric]?.missing), suspect: within(KNOWN[metric]?.suspect) };
}

/** Metrics that have stand-ins within their range. */
export function hasStandIns(metric: string): boolean {
  return KNOWN[metric] !== undefined;
}

/** A sensor's own stand-ins, all of them missing values: by metric. */
export type OwnStandIns = ReadonlyMap<string, readonly number[]>;

/** Metrics of a tag, and values of one of them. */
export const STAND_INS_MAX = 20;

/**
 * As a sensor's tag `standIns` says them: `temperature=-55,0; pm25=0`. What cannot be read is left out: a tag is free text,
 * and whoever writes it sees at the sensor what counts.
 */
export function parseStandIns(text: string): OwnStandIns {
  const own = new Map<string, readonly number[]>();
  for (const part of text.split(";").slice(0, STAND_INS_MAX)) {
    const [name, list] = part.split("=");
    const values = (list ?? "").split(",").flatMap((one) => (/^\s*-?\d+(\.\d+)?\s*$/.test(one) ? [Number(one)] : []));
    if (name?.trim() && values.length > 0) own.set(name.trim(), values.slice(0, STAND_INS_MAX));
  }
  return own;
}
