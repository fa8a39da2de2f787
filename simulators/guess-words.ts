import type { Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";

/** What a column is called, where it holds this metric: in English, German, French, Spanish, Italian, and in formulas. */
type Word = { readonly metric: MetricName; readonly kind: Kind; readonly name: RegExp };

const word = (kind: Kind, metric: MetricName, name: RegExp): Word => ({ kind, metric, name });

/** The first that fits is taken: the narrower before the wider. Names come in lower case, without units, signs as blanks. */
export const WORDS: readonly Word[] = [
  word("air", "pm25", /^p2$|^(?:.* )?pm ?2 ?5\b|fine (?:particle|dust)|feinstaub.*2 5/),
  word("air", "pm10", /^p1$|^(?:.* )?pm ?10\b|feinstaub/),
  word("air", "pm1", /^(?:.* )?pm ?1(?: 0)?\b/),
  word("air", "no2", /\bno ?2\b|nitrogen dioxide|stickstoffdioxid|dioxyde d azote|di[oó]xido de nitr[oó]geno/),
  word("air", "nox", /\bno ?x\b|nitrogen oxides|stickoxide?\b|oxydes d azote/),
  word("air", "no", /^no$|nitric oxide|nitrogen monoxide|stickstoffmonoxid|monoxyde d azote/),
  word("air", "benzene", /benzene|benzol|benz[eè]ne|benceno|\bc6h6\b/),
  word("air", "o3", /\bo ?3\b|ozon[eo]?\b/),
  word("air", "so2", /\bso ?2\b|sulphur dioxide|sulfur dioxide|schwefeldioxid|dioxyde de soufre/),
  word("air", "co2", /\bco ?2\b|carbon dioxide|kohlendioxid/),
  word("air", "co", /\bco\b|carbon monoxide|kohlenmonoxid|monoxyde de carbone/),
  word("energy", "oilTemperature", /\b(?:oil temp\w*|ot)$|[oö]ltemperatur/),
  word("energy", "enclosureTemperature", /(?:enclosure|housing|machine|device|board|case) temp\w*/),
  word("air", "relativeHumidity", /humid\w*|\bhum\b|\brh\b|feuchte|humidit[eéà]|humedad|umidit/),
  word("air", "temperature", /^t$|\btemp\b|temperatur|\btair\b|^air tc?$|t[eé]mp[eé]rature/),
  word("air", "pressure", /press\w*|\bpres\b|^bp$|barom|luftdruck|presi[oó]n/),
  word(
    "air",
    "windSpeed",
    /^ws(?:pm)?\b|^(?:wind|vent|viento|vento)$|wind ?speed|windgeschw|vitesse du vent|velocidad del viento/,
  ),
  word("air", "windDirection", /^wd\b|wind ?dir|windrichtung|direction du vent/),
  word("air", "rain", /\brain\b|rainfall|precip|niederschlag|regenmenge|pluie|lluvia|pioggia/),
  word("air", "batteryVoltage", /\bbatt?(?:ery)? ?v(?:olt(?:age|s)?)?\b/),
  word("air", "noise", /noise|\blaeq\b|l[aä]rm|\bdb ?a?\b|ruido|\bbruit\b|sound level/),
  word("traffic", "speed", /^(?!.*wind).*(?:speed|geschwindigkeit|vitesse|velocidad|velocit)/),
  word("traffic", "occupancy", /occupan|\bocc\b|belegung|occupation|ocupaci/),
  word("traffic", "travelTime", /travel ?time|reisezeit|temps de parcours|traveltime/),
  word("traffic", "headway", /headway|zeitl[uü]cke/),
  word("traffic", "queueLength", /queue|stau|r[uü]ckstau/),
  word("traffic", "bicycleCount", /bicycle|\bbikes?\b|fahrr|rad(?:fahrer|verkehr)|cyclist|v[eé]los?\b|bici/),
  word("traffic", "pedestrianCount", /pedestrian|fu(?:ss|ß)g|pi[eé]ton|peat/),
  word("traffic", "busCount", /\bbus(?:es|se)?\b/),
  word("traffic", "speed", /^v (?:kfz|pkw|lkw|sv)\b/),
  word("traffic", "lorryCount", /lorr|truck|\blkw\b|camion|\bhgv\b/),
  word("traffic", "vanCount", /\bvans?\b|lieferwagen/),
  word("traffic", "motorcycleCount", /motorc|motorr|\bmoto\b/),
  word("traffic", "flow", /\bflow\b|volume|vehicles|\bkfz\b|\bveh\b|traffic|verkehrsst|debit|d[eé]bit|intensidad/),
  word("traffic", "carCount", /^counts?$|\bcars?\b|\bpkw\b|voitures?|coches/),
  word("energy", "powerFactor", /power factor|cos ?(?:phi|φ)|leistungsfaktor|facteur de puissance|^pf$/),
  word("energy", "reactivePower", /^kvar$|reactive(?! energy)|blindleistung|r[eé]active|\bkvar\b/),
  word("energy", "energyExport", /energy ?(?:export|out|deliver)|export(?:ed)? energy|einspeis/),
  word(
    "energy",
    "energyImport",
    /^[km]?wh$|energy ?(?:import|total|register|reading)?$|z[aä]hlerstand|meter reading|import(?:ed)? energy/,
  ),
  word("energy", "activePower", /power|\bload\b|leistung|puissance|potencia|demand|consumption|verbrauch|\blast\b/),
  word("energy", "thdVoltage", /\bthd\b/),
  word("energy", "frequency", /frequen[cz]|fr[eé]quence/),
  word("energy", "voltage", /volt|spannung|tension/),
  word("energy", "current", /current|intensity|intensit[eé]|\bstrom\b|amp[eè]re|\bamps?\b|corriente|courant/),
  word("air", "battery", /battery ?(?:level|percent)?$|akku/),
  word("air", "rssi", /\brssi\b/),
  word("air", "snr", /\bsnr\b/),
];

/** Columns that say whose row it is. */
export const SENSOR_NAME =
  /^(?:.*\b)?(?:sensor|station|site|location|device|detector|mote|meter|node|probe|messstelle|z[aä]hlstelle|querschnitt|standort|z[aä]hler|capteur|estaci[oó]n|poste|sampling ?point|road|street)(?:\b.*)?$|(?:^| )(?:id|name|code|uid)$/;
export const DISTRICT_NAME =
  /^(?:district|city|borough|region|bezirk|stadtteil|quartier|distrito|municipality|area|town)(?: (?:id|name|code))?$/;
export const TIME_NAME =
  /time|date|datum|zeit|uhr|heure|fecha|hora|\bts\b|epoch|\butc\b|5 minutes|interval|\bday\b|month|year|\bhour\b/;
/** Stamps that say that they end an interval. */
export const END_NAME = /ending|\bend\b|\bto\b|\bbis\b|\bfin\b|hour ?end/;
/** What a row of the long form says it is, and its value. */
export const WHAT_NAME =
  /^(?:parameter|metric|pollutant|variable|measure(?:ment)?|component|komponente|schadstoff|quantity|polluant|type|species)(?: (?:id|name|code))?$/;
export const VALUE_NAME =
  /^(?:value|val|wert|messwert|valeur|valor|concentration|result|reading|(?:sample )?measurement)$/;
/** As instruments write "no value". */
export const NO_VALUE = new Set([
  "na",
  "n/a",
  "nan",
  "null",
  "none",
  "nil",
  "-",
  "--",
  "?",
  "k.a.",
  "#n/a",
  "missing",
  "nd",
  "n.d.",
  "*",
  "inf",
  "-inf",
]);
export const STAND_INS = new Set([
  -1, -99, -200, -999, -9999, -99.9, -999.9, 999, 9999, 99999, -127, 65535, 32767, -32768,
]);
