import type { RuleTexts } from "../pack.ts";

/**
 * The rules of the default set as they are delivered (`alerts/rules/*.yaml`): whose title and advice is still this one
 * has it in the reader's language.
 */
const PUT_BATTERY_NEXT_ROUTE = "Put the battery on the next route.";
const SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW = "Switch load to a neighbouring transformer now.";
const WAS_METER_EXCHANGED_ENTER_NEW = "Was the meter exchanged? Enter its new start; if not, read it on site.";
const CHECK_ANALYSER_CONNECTION_STATION_ITSELF = "Check the analyser and its connection; the station itself is well.";
const CHECK_ANALYSER_ELSE_STATION_SENDS = "Check the analyser; what else the station sends is taken.";
const CHECK_PROBE_WIRING_ELSE_SENSOR = "Check the probe and its wiring; what else the sensor sends is taken.";
const COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE = "Compare with its neighbours; clean the inlet or replace the sensor.";
const COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE = "Compare with its neighbours; restart or replace the device.";
const ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES =
  "Ask whoever collects and publishes the values; no need to visit the stations.";
const LOOK_NEIGHBOURS_FIRST_REAL_TELL =
  "Look at the neighbours first: is it real, tell the operators; if not, check the sensor.";
const CHECK_CONNECTORS_POWER_SUPPLY = "Check connectors and power supply.";
const RECALIBRATE_LOOK_NEW_LOCAL_SOURCE = "Recalibrate; look for a new local source first.";
const CHECK_LOOP_FEEDER_CABLE_DETECTOR = "Check loop, feeder cable and detector card.";
const LOOK_CAMERA_CHECK_INCIDENT = "Look at the camera, check for an incident.";

const delivered = {
  "eu-pm25": { title: "Fine particles above the daily limit value" },
  "eu-pm10": { title: "Particles above the daily limit value of 2030" },
  "eu2008-pm10-day": { title: "Particles above the daily limit value" },
  "eu2008-no2-hour": { title: "Nitrogen dioxide above the hourly limit value" },
  "eu2008-so2-hour": { title: "Sulphur dioxide above the hourly limit value" },
  "eu-no2-alert": {
    title: "Nitrogen dioxide alert threshold",
    advice: "Check neighbouring stations, inform the public, start the short-term action plan.",
  },
  "eu-no2-information": { title: "Nitrogen dioxide information threshold" },
  "eu-so2-alert": {
    title: "Sulphur dioxide alert threshold",
    advice: "Look for an industrial source upwind, inform the public, start the short-term action plan.",
  },
  "eu-so2-information": { title: "Sulphur dioxide information threshold" },
  "eu-o3-alert": {
    title: "Ozone alert threshold",
    advice: "Inform the public at once; short-term action plans look at three consecutive hours.",
  },
  "eu-o3-information": { title: "Ozone information threshold" },
  "eu-pm25-alert": { title: "Fine particles alert threshold" },
  "eu-pm10-alert": { title: "Particles alert threshold" },
  "eu2008-no2-alert": { title: "Nitrogen dioxide alert threshold (2008)" },
  "eu2008-so2-alert": { title: "Sulphur dioxide alert threshold (2008)" },
  "particles-disagree": {
    title: "Fine and coarse particles disagree",
    advice: "Compare both channels with a neighbour; clean the inlet, check flow and calibration.",
  },
  "aqi-very-poor": { title: "Air quality very poor", advice: "Inform sensitive groups." },
  "aqi-extremely-poor": {
    title: "Air quality extremely poor",
    advice: "Inform the public; sensitive groups should stay inside.",
  },
  "heat-near-sensor": { title: "Air temperature rising fast", advice: "Look for fire or hot exhaust near the sensor." },
  "air-temperature-unusual": {
    title: "Air temperature unusual",
    advice: "Compare with its neighbours: the weather, or the sensor and its shield.",
  },
  "humidity-jump": { title: "Humidity rising fast", advice: "Look for water or steam at the sensor." },
  "sensor-silent": {
    title: "Sensor silent",
    advice: "Check power and modem; look whether its neighbours are silent, too.",
  },
  "sensor-silent-day": { title: "Sensor silent for a day", advice: "Plan a visit." },
  "gateway-outage": {
    title: "Gateway outage",
    advice: "Check the gateway's power and uplink before any of its sensors.",
  },
  "messages-refused": {
    title: "Messages arrive and are refused",
    advice: "Look at the example; set the device's clock, format or registration right. Power and modem are well.",
  },
  "battery-low": { title: "Battery low", advice: PUT_BATTERY_NEXT_ROUTE },
  "battery-critical": { title: "Battery nearly empty", advice: "Replace the battery before the sensor falls silent." },
  "battery-flat-in-a-month": { title: "Battery flat within a month", advice: PUT_BATTERY_NEXT_ROUTE },
  "battery-flat-in-a-week": { title: "Battery flat within a week", advice: "Replace the battery this week." },
  "enclosure-hot": { title: "Enclosure hot", advice: "Check ventilation and shade." },
  "enclosure-overheated": { title: "Enclosure overheated", advice: "Visit; electronics are at their limit." },
  "enclosure-cold": { title: "Enclosure cold" },
  "enclosure-temperature-unusual": {
    title: "Machine or enclosure temperature unusual",
    advice: "Something inside runs hotter or colder than it used to; visit.",
  },
  "enclosure-cooling-fast": { title: "Machine or enclosure cooling fast", advice: "Is it running? Is the door shut?" },
  "voltage-low": {
    title: "Feeder voltage low",
    advice: "Check load and tap changer of the feeder; open a ticket with the distribution system operator.",
  },
  "voltage-very-low": { title: "Feeder voltage very low", advice: "Suspect a lost neutral or phase. Send a crew." },
  "voltage-high": { title: "Feeder voltage high", advice: "Check the tap changer and feed-in along the feeder." },
  "voltage-very-high": {
    title: "Feeder voltage dangerously high",
    advice: "Suspect a lost neutral. Send a crew at once; appliances may be damaged.",
  },
  "frequency-low": { title: "Grid frequency low" },
  "frequency-high": { title: "Grid frequency high" },
  "thd-elevated": { title: "Voltage distortion elevated" },
  "thd-high": { title: "Voltage distortion high", advice: "Look for a new converter load on the feeder." },
  "transformer-load-advisory": { title: "Transformer load over 80 %" },
  "transformer-overload": {
    title: "Transformer overload",
    advice: "Switch load to a neighbouring transformer if oil temperature rises.",
  },
  "transformer-overload-critical": {
    title: "Transformer overload over 120 %",
    advice: "Switch load now; send a crew to the substation.",
  },
  "oil-temperature-high": { title: "Transformer oil hot", advice: "Check fans, oil level and load." },
  "oil-temperature-critical": { title: "Transformer oil at its limit", advice: "Unload the transformer." },
  "oil-temperature-ahead": {
    title: "Transformer oil at its limit soon",
    advice: SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW,
  },
  "transformer-overload-ahead": {
    title: "Transformer over its limit soon",
    advice: SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW,
  },
  "power-unusual": {
    title: "Power unusual for the time",
    advice: "Ask what changed: a switched feeder, an event, a fault.",
  },
  "street-light-dark": {
    title: "Street lights dark",
    advice: "Check main fuse, contactor and supply of the cabinet; ask whether the network operator has an outage.",
  },
  "street-light-lamps-out": {
    title: "Street lights partly out",
    advice:
      "A third missing is a phase or a fuse, a half a circuit, less single lamps: drive along the street at night.",
  },
  "street-light-by-day": {
    title: "Street lights on by day",
    advice: "Work in progress, or a welded contactor, a covered photocell, a switch left on manual.",
  },
  "street-light-switching": {
    title: "Street lights switched at the wrong time",
    advice:
      "Set the clock of the cabinet (an hour: summer time; growing: its battery or its time signal), clean the photocell.",
  },
  "street-light-interruption": {
    title: "Supply of street lights interrupted",
    advice: "Once: ask the network operator. Again and again: look for a loose contact or a tripping protection.",
  },
  "lamp-state-dark": {
    title: "Street lights not switched on",
    advice: "Check controller, clock and photocell: it was not told to be on, or did not do it.",
  },
  "lamp-state-by-day": {
    title: "Street lights switched on by day",
    advice: "Work in progress, or a covered photocell, a switch left on manual.",
  },
  "eu-o3-8h": { title: "Ozone above the target value (8 h)" },
  "eu-co-8h": { title: "Carbon monoxide limit value (8 h)" },
  "meter-import-register": { title: "Meter register (import) faulty", advice: WAS_METER_EXCHANGED_ENTER_NEW },
  "meter-export-register": { title: "Meter register (export) faulty", advice: WAS_METER_EXCHANGED_ENTER_NEW },
  "missing-pm25": { title: "Fine particles missing", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-pm10": { title: "Particles missing", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-no2": { title: "Nitrogen dioxide missing", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-o3": { title: "Ozone missing", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-so2": { title: "Sulphur dioxide missing", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-co": { title: "Carbon monoxide missing", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "impossible-pm25": { title: "Fine particles impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-pm10": { title: "Particles impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-no2": { title: "Nitrogen dioxide impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-o3": { title: "Ozone impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-so2": { title: "Sulphur dioxide impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-co": { title: "Carbon monoxide impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-temperature": { title: "Temperature impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-humidity": { title: "Humidity impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-noise": { title: "Noise impossible", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-flow": { title: "Flow impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-occupancy": { title: "Occupancy impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-speed": { title: "Speed impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-active-power": { title: "Active power impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-voltage": { title: "Voltage impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-current": { title: "Current impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-oil-temperature": { title: "Oil temperature impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-battery": { title: "Battery impossible", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-enclosure-temperature": {
    title: "Enclosure temperature impossible",
    advice: CHECK_PROBE_WIRING_ELSE_SENSOR,
  },
  "stuck-pm25": { title: "Fine particle sensor stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-pm10": { title: "Particle sensor stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-pm1": { title: "Very fine particle sensor stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-no2": { title: "Nitrogen dioxide analyser stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-o3": { title: "Ozone analyser stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-so2": { title: "Sulphur dioxide analyser stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-co": { title: "Carbon monoxide analyser stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-co2": { title: "Carbon dioxide sensor stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-temperature": { title: "Thermometer stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-humidity": { title: "Humidity sensor stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-noise": { title: "Noise meter stuck", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-speed": { title: "Speed detector stuck", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-voltage": { title: "Voltage measurement stuck", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-current": { title: "Current measurement stuck", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-active-power": { title: "Active power measurement stuck", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-reactive-power": {
    title: "Reactive power measurement stuck",
    advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE,
  },
  "stuck-oil-temperature": { title: "Oil thermometer stuck", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "publication-fault-pm25": {
    title: "Fine particles of a district repeated",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-pm10": {
    title: "Particles of a district repeated",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-no2": {
    title: "Nitrogen dioxide of a district repeated",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-o3": { title: "Ozone of a district repeated", advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES },
  "publication-fault-so2": {
    title: "Sulphur dioxide of a district repeated",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-co": {
    title: "Carbon monoxide of a district repeated",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-speed": {
    title: "Traffic speeds of a district repeated",
    advice: "Ask whoever collects and publishes the values; no need to visit the detectors.",
  },
  "suspect-pm25": { title: "Fine particles beyond the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-pm10": { title: "Particles beyond the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-no2": { title: "Nitrogen dioxide beyond the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-o3": { title: "Ozone beyond the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-so2": { title: "Sulphur dioxide beyond the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-co": { title: "Carbon monoxide beyond the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-heat": {
    title: "Air temperature beyond the plausible",
    advice: "Look at the neighbours; check the radiation shield. Real heat or a fire is for the operators.",
  },
  "suspect-cold": { title: "Air temperature below the plausible", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-speed": { title: "Traffic speed beyond the plausible", advice: "Check the detector's configuration." },
  "suspect-flow": {
    title: "Traffic flow beyond the plausible",
    advice: "Chatter: check the detector card and its loop.",
  },
  "suspect-occupancy": {
    title: "Detector occupancy beyond the plausible",
    advice: "Look at the camera; if traffic flows, the detector is nearly locked: reset its card.",
  },
  "suspect-current": {
    title: "Current beyond the plausible",
    advice:
      "Look at the neighbours first: is it real, tell the operators; if not, check the current transformer's ratio.",
  },
  "spikes-pm25": { title: "Fine particles with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-pm10": { title: "Particles with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-no2": { title: "Nitrogen dioxide with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-o3": { title: "Ozone with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-so2": { title: "Sulphur dioxide with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-co": { title: "Carbon monoxide with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-temperature": { title: "Air temperature with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-humidity": { title: "Humidity with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-voltage": { title: "Voltage with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-oil-temperature": { title: "Oil temperature with spikes", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "drift-pm25": { title: "Fine particle sensor drifting", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-pm10": { title: "Particle sensor drifting", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-no2": { title: "Nitrogen dioxide sensor drifting", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-o3": { title: "Ozone sensor drifting", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "traffic-congestion": {
    title: "Congestion",
    advice: "Look at the camera, check for an incident, adapt signal plans or signs.",
  },
  "traffic-slow": { title: "Traffic slower than half of free flow" },
  "detector-locked": {
    title: "Loop detector locked on",
    advice: "Reset the detector card; check the loop and its feeder cable for damage.",
  },
  "detector-no-hits": { title: "Loop detector without hits", advice: CHECK_LOOP_FEEDER_CABLE_DETECTOR },
  "detector-constant": { title: "Loop detector without change", advice: CHECK_LOOP_FEEDER_CABLE_DETECTOR },
  "traffic-standstill": { title: "Traffic at a standstill", advice: "Look at the camera; divert traffic." },
  "speed-unusual": { title: "Traffic unusually slow", advice: LOOK_CAMERA_CHECK_INCIDENT },
  "occupancy-unusual": { title: "Detector unusually occupied", advice: LOOK_CAMERA_CHECK_INCIDENT },
  "travel-time-unusual": { title: "Travel time unusually long", advice: "Check the route for an incident." },
} as const satisfies Readonly<Record<string, RuleTexts>>;

export type DeliveredRule = keyof typeof delivered;
export const rules: Readonly<Record<string, RuleTexts>> = delivered;
