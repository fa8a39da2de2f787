/** What a city would write for the samples of the kit: one mapping for each sender. */
export const KIT_MAPPINGS: Readonly<Record<string, string>> = {
  community: `
base: sensor-community
district: north
sensors:
  - { device: esp8266-10583142, sensor: school-7 }
`,
  airgradient: `
base: airgradient
district: north
sensors: [{ device: 84fce612ab34, sensor: library }]
`,
  tasmota: `
base: tasmota
district: north
sensor: "{device}"
`,
  zigbee: `
base: zigbee2mqtt
district: north
sensors:
  - { device: pump room, sensor: pump-room, kind: energy }
  - { device: hall, sensor: hall, kind: air }
`,
  ld: `
base: ngsi-ld
district: north
sensors:
  - { device: "urn:ngsi-ld:AirQualityObserved:north-01", sensor: north-01 }
  - { device: "urn:ngsi-ld:TrafficFlowObserved:a7", sensor: a7 }
`,
  orion: `
base: ngsi-v2
district: north
sensors: [{ device: Meter-7, sensor: meter-7 }]
`,
  frost: `
base: sensorthings
district: north
kind: air
sensors:
  - { device: Datastreams(17), sensor: stream-17, metrics: [{ column: result, metric: pm25, unit: µg/m³ }] }
  - { device: Datastreams(18), sensor: stream-18, metrics: [{ column: result, metric: pm25, unit: µg/m³ }] }
`,
  senml: `
base: senml
district: north
kind: air
sensor: "{device}"
`,
  city: `
base: line-protocol
district: north
sensor: "lp-{device}"
`,
  prometheus: `
base: prometheus
prefix: city_
kind: air
sensor: "prom-{device}"
`,
  sparkplug: `
base: sparkplug-b
district: north
kind: air
sensors:
  - device: city/edge-1/roadside-4
    sensor: roadside-4
    metrics:
      - { column: Air/PM2.5, metric: pm25 }
      - { column: alias.11, metric: pm25 }
      - { column: Air/NO2, metric: no2 }
      - { column: alias.12, metric: no2 }
      - { column: Air/Temperature, metric: temperature }
      - { column: alias.13, metric: temperature }
`,
  ttn: `
base: tts
district: north
kind: air
sensor: "{device}"
`,
  chirpstack: `
base: chirpstack
district: north
kind: air
sensor: "{device}"
`,
};

/** By the folder a sample is in. */
export const MAPPING_OF: Readonly<Record<string, string>> = {
  "sensor-community": "community",
  airgradient: "airgradient",
  tasmota: "tasmota",
  zigbee2mqtt: "zigbee",
  "ngsi-ld": "ld",
  "ngsi-v2": "orion",
  "sensorthings-mqtt": "frost",
  senml: "senml",
  "line-protocol": "city",
  prometheus: "prometheus",
  "sparkplug-b": "sparkplug",
  tts: "ttn",
  chirpstack: "chirpstack",
};
