/**
 * What devices send in the place of a value they do not have. Outside what the hardware of a metric can output a stand-in
 * counts as missing; inside, where it is a known one of that metric, it is `missing` (no value can be told from it) or
 * `suspect` (it is probably none, and possibly a true one: kept and flagged). Keys are names of metrics.
 */
type Known = { readonly missing?: readonly number[]; readonly suspect?: readonly number[]; readonly source: string };

/** The ends of 8, 16 and 32 bits, whole and in tenths, hundredths and thousandths: "not available" of registers. */
const INTEGER_ENDS: readonly number[] = [
  255, 65_535, 65_534, 32_767, -32_768, 4_294_967_295, 2_147_483_647, -2_147_483_648,
];
const SCALED_ENDS: readonly number[] = [
  ...[6553.5, 655.35, 65.535],
  ...[3276.7, 327.67, 32.767],
  ...[-3276.8, -327.68, -32.768],
  ...[429_496_729.5, 42_949_672.95, 4_294_967.295],
  ...[214_748_364.7, 21_474_836.47, 2_147_483.647],
];

/**
 * Missing wherever the hardware could not have measured it. Nines and -200: the recordings of public networks; -127, 85:
 * DS18B20 (no answer on the wire, and its data sheet's value after power-up); -273.15: 0 K; 254, 255: LoRaWAN 1.0.4
 * DevStatusAns (a full battery, not known); 99: 3GPP TS 27.007 +CSQ (not known); -1: counters and speeds without a vehicle.
 */
const OUTSIDE: ReadonlySet<number> = new Set([
  ...INTEGER_ENDS,
  ...SCALED_ENDS,
  ...[-1, -99, -200, -999, -9999, -99_999, 99, 999, 9999, 10_000, 99_999],
  ...[-127, 127, -128, 128, 85, -273.15, 254],
]);

const MODBUS = "SunSpec information models: 0x8000, 0xFFFF, 0xFFFFFFFF are registers that are not implemented";
const SCALED = "an end of 16 bits in tenths or hundredths, which a true value rarely hits";

const KNOWN: Readonly<Record<string, Known>> = {
  co2: { missing: [0, 65_500, 65_503], source: "NDIR sensors while they warm up, and their error codes" },
  pressure: { missing: [0], source: "a barometer that does not answer" },
  pm25: { suspect: [327.67, 655.35], source: SCALED },
  pm10: { suspect: [327.67, 655.35], source: SCALED },
  pm1: { suspect: [327.67, 655.35], source: SCALED },
  noise: { suspect: [127], source: "the end of 8 bits with a sign" },
  enclosureTemperature: { suspect: [85], source: "DS18B20 data sheet: the value after power-up" },
  oilTemperature: { suspect: [127], source: "the end of 8 bits with a sign" },
  battery: { suspect: [0], source: "LoRaWAN 1.0.4 DevStatusAns: 0 is an external power source" },
  rssi: { suspect: [0, -128], source: "modems that have not measured it; the end of 8 bits with a sign" },
  uptime: { missing: [4_294_967_295], source: "the end of 32 bits" },
  activePower: {
    missing: [65_535, 65_534, 32_767, -32_768],
    suspect: [6553.5, 3276.7, -3276.8, 655.35, 327.67, -327.68],
    source: MODBUS,
  },
  reactivePower: {
    missing: [65_535, 65_534, 32_767, -32_768],
    suspect: [6553.5, 3276.7, -3276.8, 655.35, 327.67, -327.68],
    source: MODBUS,
  },
  voltage: { missing: [65_535, 65_534, 32_767, 6553.5, 3276.7], suspect: [655.35, 327.67], source: MODBUS },
  current: { suspect: [6553.5, 3276.7, -3276.8, 655.35, 327.67, -327.68], source: MODBUS },
  frequency: { missing: [65.535], suspect: [32.767], source: MODBUS },
  energyImport: {
    missing: [4_294_967_295, 429_496_729.5, 42_949_672.95, 4_294_967.295, 2_147_483_647],
    suspect: [65_535, 32_767],
    source: MODBUS,
  },
  energyExport: {
    missing: [4_294_967_295, 429_496_729.5, 42_949_672.95, 4_294_967.295, 2_147_483_647],
    suspect: [65_535, 32_767],
    source: MODBUS,
  },
  headway: { suspect: [655.35], source: SCALED },
  travelTime: { missing: [65_535], source: "the end of 16 bits" },
  windSpeed: { missing: [99.9], source: "WMO practice: nines stand for a missing value" },
};

/** Outside what the hardware can output: does `value` stand for none? */
export function isStandInOutside(metric: string, value: number): boolean {
  return OUTSIDE.has(value) || (KNOWN[metric]?.missing?.includes(value) ?? false);
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
