import type * as en from "../en/rules.ts";
import type { RuleTexts } from "../pack.ts";

const PUT_BATTERY_NEXT_ROUTE = "Batterietausch für die nächste Tour einplanen.";
const SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW = "Last jetzt auf einen benachbarten Transformator umschalten.";
const WAS_METER_EXCHANGED_ENTER_NEW =
  "Wurde der Zähler getauscht? Neuen Anfangsstand eintragen; wenn nicht, vor Ort ablesen.";
const CHECK_ANALYSER_CONNECTION_STATION_ITSELF = "Analysator und Anschluss prüfen; die Station selbst arbeitet.";
const CHECK_ANALYSER_ELSE_STATION_SENDS = "Analysator prüfen; was die Station sonst sendet, wird übernommen.";
const CHECK_PROBE_WIRING_ELSE_SENSOR =
  "Messfühler und Verkabelung prüfen; was der Sensor sonst sendet, wird übernommen.";
const COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE = "Mit den Nachbarn vergleichen; Ansaugung reinigen oder Sensor tauschen.";
const COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE = "Mit den Nachbarn vergleichen; Gerät neu starten oder tauschen.";
const ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES =
  "Bei der Stelle nachfragen, die die Werte sammelt und veröffentlicht; niemand muss zu den Stationen fahren.";
const LOOK_NEIGHBOURS_FIRST_REAL_TELL =
  "Zuerst die Nachbarn ansehen: Ist es echt, den Leitstand informieren; wenn nicht, den Sensor prüfen.";
const CHECK_CONNECTORS_POWER_SUPPLY = "Stecker und Stromversorgung prüfen.";
const RECALIBRATE_LOOK_NEW_LOCAL_SOURCE = "Neu kalibrieren; vorher nach einer neuen Quelle in der Nähe suchen.";
const CHECK_LOOP_FEEDER_CABLE_DETECTOR = "Schleife, Zuleitung und Detektorkarte prüfen.";
const LOOK_CAMERA_CHECK_INCIDENT = "Kamera ansehen, auf einen Zwischenfall prüfen.";

export const rules: Readonly<Record<string, RuleTexts>> = {
  "eu-pm25": { title: "Feinstaub (PM2,5) über dem Tagesgrenzwert" },
  "eu-pm10": { title: "Feinstaub (PM10) über dem Tagesgrenzwert ab 2030" },
  "eu2008-pm10-day": { title: "Feinstaub (PM10) über dem Tagesgrenzwert" },
  "eu2008-no2-hour": { title: "Stickstoffdioxid über dem Stundengrenzwert" },
  "eu2008-so2-hour": { title: "Schwefeldioxid über dem Stundengrenzwert" },
  "eu-no2-alert": {
    title: "Stickstoffdioxid: Alarmschwelle",
    advice: "Nachbarstationen prüfen, Öffentlichkeit informieren, Plan für kurzfristige Maßnahmen starten.",
  },
  "eu-no2-information": { title: "Stickstoffdioxid: Informationsschwelle" },
  "eu-so2-alert": {
    title: "Schwefeldioxid: Alarmschwelle",
    advice:
      "Luvseitig nach einer industriellen Quelle suchen, Öffentlichkeit informieren, Plan für kurzfristige Maßnahmen starten.",
  },
  "eu-so2-information": { title: "Schwefeldioxid: Informationsschwelle" },
  "eu-o3-alert": {
    title: "Ozon: Alarmschwelle",
    advice: "Öffentlichkeit sofort informieren; für Pläne kurzfristiger Maßnahmen zählen drei Stunden in Folge.",
  },
  "eu-o3-information": { title: "Ozon: Informationsschwelle" },
  "eu-pm25-alert": { title: "Feinstaub PM2,5: Alarmschwelle" },
  "eu-pm10-alert": { title: "Feinstaub PM10: Alarmschwelle" },
  "eu2008-no2-alert": { title: "Stickstoffdioxid: Alarmschwelle (2008)" },
  "eu2008-so2-alert": { title: "Schwefeldioxid: Alarmschwelle (2008)" },
  "particles-disagree": {
    title: "Feiner und grober Feinstaub widersprechen sich",
    advice: "Beide Kanäle mit einem Nachbarn vergleichen; Einlass reinigen, Durchfluss und Kalibrierung prüfen.",
  },
  "aqi-very-poor": { title: "Luftqualität sehr schlecht", advice: "Empfindliche Gruppen informieren." },
  "aqi-extremely-poor": {
    title: "Luftqualität extrem schlecht",
    advice: "Öffentlichkeit informieren; empfindliche Gruppen sollten in Innenräumen bleiben.",
  },
  "heat-near-sensor": {
    title: "Lufttemperatur steigt schnell",
    advice: "In der Nähe des Sensors nach Feuer oder heißer Abluft suchen.",
  },
  "air-temperature-unusual": {
    title: "Lufttemperatur ungewöhnlich",
    advice: "Mit den Nachbarn vergleichen: das Wetter, oder der Sensor und sein Strahlungsschutz.",
  },
  "humidity-jump": { title: "Luftfeuchte steigt schnell", advice: "Am Sensor nach Wasser oder Dampf suchen." },
  "sensor-silent": {
    title: "Sensor ausgefallen",
    advice: "Stromversorgung und Modem prüfen; nachsehen, ob auch die Nachbarn ausgefallen sind.",
  },
  "sensor-silent-day": { title: "Sensor seit einem Tag ausgefallen", advice: "Einsatz vor Ort einplanen." },
  "gateway-outage": {
    title: "Gateway ausgefallen",
    advice: "Zuerst Stromversorgung und Anbindung des Gateways prüfen, dann erst seine Sensoren.",
  },
  "messages-refused": {
    title: "Nachrichten kommen an und werden abgewiesen",
    advice:
      "Beispiel ansehen; Uhr, Format oder Registrierung des Geräts richtigstellen. Stromversorgung und Modem sind in Ordnung.",
  },
  "battery-low": { title: "Batterie schwach", advice: PUT_BATTERY_NEXT_ROUTE },
  "battery-critical": { title: "Batterie fast leer", advice: "Batterie tauschen, bevor der Sensor ausfällt." },
  "battery-flat-in-a-month": { title: "Batterie binnen eines Monats leer", advice: PUT_BATTERY_NEXT_ROUTE },
  "battery-flat-in-a-week": { title: "Batterie binnen einer Woche leer", advice: "Batterie diese Woche tauschen." },
  "enclosure-hot": { title: "Gehäuse heiß", advice: "Belüftung und Beschattung prüfen." },
  "enclosure-overheated": { title: "Gehäuse überhitzt", advice: "Vor Ort prüfen; die Elektronik ist an ihrer Grenze." },
  "enclosure-cold": { title: "Gehäuse sehr kalt" },
  "enclosure-temperature-unusual": {
    title: "Temperatur von Maschine oder Gehäuse ungewöhnlich",
    advice: "Im Inneren ist etwas heißer oder kälter als sonst: vor Ort prüfen.",
  },
  "enclosure-cooling-fast": {
    title: "Maschine oder Gehäuse kühlt schnell ab",
    advice: "Läuft sie? Ist die Tür geschlossen?",
  },
  "voltage-low": {
    title: "Netzspannung niedrig",
    advice: "Last und Stufenschalter des Abgangs prüfen; beim Verteilnetzbetreiber eine Störung melden.",
  },
  "voltage-very-low": {
    title: "Netzspannung sehr niedrig",
    advice: "Verdacht auf Neutralleiter- oder Phasenausfall. Trupp schicken.",
  },
  "voltage-high": { title: "Netzspannung hoch", advice: "Stufenschalter und Einspeisung am Abgang prüfen." },
  "voltage-very-high": {
    title: "Netzspannung gefährlich hoch",
    advice: "Verdacht auf Neutralleiterbruch. Sofort einen Trupp schicken; Geräte können Schaden nehmen.",
  },
  "frequency-low": { title: "Netzfrequenz niedrig" },
  "frequency-high": { title: "Netzfrequenz hoch" },
  "thd-elevated": { title: "Spannungsverzerrung erhöht" },
  "thd-high": {
    title: "Spannungsverzerrung hoch",
    advice: "Nach einem neuen Verbraucher mit Umrichter am Abgang suchen.",
  },
  "transformer-load-advisory": { title: "Transformator über 80 % ausgelastet" },
  "transformer-overload": {
    title: "Transformator überlastet",
    advice: "Last auf einen benachbarten Transformator umschalten, wenn die Öltemperatur steigt.",
  },
  "transformer-overload-critical": {
    title: "Transformator über 120 % überlastet",
    advice: "Last jetzt umschalten; Trupp zur Ortsnetzstation schicken.",
  },
  "oil-temperature-high": { title: "Transformatoröl heiß", advice: "Lüfter, Ölstand und Last prüfen." },
  "oil-temperature-critical": { title: "Transformatoröl an der Grenze", advice: "Transformator entlasten." },
  "oil-temperature-ahead": {
    title: "Transformatoröl bald an der Grenze",
    advice: SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW,
  },
  "transformer-overload-ahead": {
    title: "Transformator bald über der Grenze",
    advice: SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW,
  },
  "power-unusual": {
    title: "Leistung für diese Zeit ungewöhnlich",
    advice: "Klären, was sich geändert hat: eine Umschaltung, eine Veranstaltung, ein Fehler.",
  },
  "street-light-dark": {
    title: "Straßenbeleuchtung dunkel",
    advice: "Hauptsicherung, Schütz und Einspeisung des Schranks prüfen; beim Netzbetreiber nach einem Ausfall fragen.",
  },
  "street-light-lamps-out": {
    title: "Straßenbeleuchtung teilweise aus",
    advice:
      "Fehlt ein Drittel, ist es eine Phase oder Sicherung, bei der Hälfte ein Stromkreis, bei weniger einzelne Lampen: die Straße nachts abfahren.",
  },
  "street-light-by-day": {
    title: "Straßenbeleuchtung brennt am Tag",
    advice: "Arbeiten im Gang, oder ein verklebtes Schütz, eine verdeckte Fotozelle, ein Schalter auf Hand.",
  },
  "street-light-switching": {
    title: "Straßenbeleuchtung schaltet zur falschen Zeit",
    advice:
      "Uhr des Schranks stellen (eine Stunde: Sommerzeit; wachsend: Batterie oder Zeitsignal), Fotozelle reinigen.",
  },
  "street-light-interruption": {
    title: "Versorgung der Straßenbeleuchtung unterbrochen",
    advice: "Einmal: beim Netzbetreiber fragen. Immer wieder: losen Kontakt oder auslösenden Schutz suchen.",
  },
  "lamp-state-dark": {
    title: "Straßenbeleuchtung nicht eingeschaltet",
    advice: "Steuerung, Uhr und Fotozelle prüfen: Der Befehl fehlt, oder er wurde nicht ausgeführt.",
  },
  "lamp-state-by-day": {
    title: "Straßenbeleuchtung am Tag eingeschaltet",
    advice: "Arbeiten im Gang, oder eine verdeckte Fotozelle, ein Schalter auf Hand.",
  },
  "eu-o3-8h": { title: "Ozon über dem Zielwert (8 h)" },
  "eu-co-8h": { title: "Kohlenmonoxid über dem Grenzwert (8 h)" },
  "meter-import-register": { title: "Zählerstand (Bezug) fehlerhaft", advice: WAS_METER_EXCHANGED_ENTER_NEW },
  "meter-export-register": { title: "Zählerstand (Einspeisung) fehlerhaft", advice: WAS_METER_EXCHANGED_ENTER_NEW },
  "missing-pm25": { title: "Feinstaub PM2,5: Werte fehlen", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-pm10": { title: "Feinstaub PM10: Werte fehlen", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-no2": { title: "Stickstoffdioxid: Werte fehlen", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-o3": { title: "Ozon: Werte fehlen", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-so2": { title: "Schwefeldioxid: Werte fehlen", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-co": { title: "Kohlenmonoxid: Werte fehlen", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "impossible-pm25": { title: "Feinstaub PM2,5: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-pm10": { title: "Feinstaub PM10: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-no2": { title: "Stickstoffdioxid: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-o3": { title: "Ozon: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-so2": { title: "Schwefeldioxid: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-co": { title: "Kohlenmonoxid: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-temperature": { title: "Temperatur: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-humidity": { title: "Luftfeuchte: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-noise": { title: "Lärmpegel: unmögliche Werte", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-flow": { title: "Verkehrsstärke: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-occupancy": { title: "Belegungsgrad: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-speed": { title: "Geschwindigkeit: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-active-power": { title: "Wirkleistung: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-voltage": { title: "Spannung: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-current": { title: "Stromstärke: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-oil-temperature": { title: "Öltemperatur: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-battery": { title: "Batterieladung: unmögliche Werte", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-enclosure-temperature": {
    title: "Gehäusetemperatur: unmögliche Werte",
    advice: CHECK_PROBE_WIRING_ELSE_SENSOR,
  },
  "stuck-pm25": { title: "Feinstaubsensor (PM2,5) hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-pm10": { title: "Feinstaubsensor (PM10) hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-pm1": { title: "Feinstaubsensor (PM1) hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-no2": { title: "Stickstoffdioxid-Analysator hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-o3": { title: "Ozon-Analysator hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-so2": { title: "Schwefeldioxid-Analysator hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-co": { title: "Kohlenmonoxid-Analysator hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-co2": { title: "Kohlendioxid-Sensor hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-temperature": { title: "Thermometer hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-humidity": { title: "Feuchtesensor hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-noise": { title: "Schallpegelmesser hängt", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-speed": { title: "Geschwindigkeitsdetektor hängt", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-voltage": { title: "Spannungsmessung hängt", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-current": { title: "Strommessung hängt", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-active-power": { title: "Wirkleistungsmessung hängt", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-reactive-power": { title: "Blindleistungsmessung hängt", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-oil-temperature": { title: "Ölthermometer hängt", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "publication-fault-pm25": {
    title: "Feinstaub PM2,5: Werte eines Bezirks wiederholen sich",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-pm10": {
    title: "Feinstaub PM10: Werte eines Bezirks wiederholen sich",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-no2": {
    title: "Stickstoffdioxid: Werte eines Bezirks wiederholen sich",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-o3": {
    title: "Ozon: Werte eines Bezirks wiederholen sich",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-so2": {
    title: "Schwefeldioxid: Werte eines Bezirks wiederholen sich",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-co": {
    title: "Kohlenmonoxid: Werte eines Bezirks wiederholen sich",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-speed": {
    title: "Geschwindigkeiten eines Bezirks wiederholen sich",
    advice:
      "Bei der Stelle nachfragen, die die Werte sammelt und veröffentlicht; niemand muss zu den Detektoren fahren.",
  },
  "suspect-pm25": { title: "Feinstaub PM2,5: unplausibel hoch", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-pm10": { title: "Feinstaub PM10: unplausibel hoch", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-no2": { title: "Stickstoffdioxid: unplausibel hoch", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-o3": { title: "Ozon: unplausibel hoch", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-so2": { title: "Schwefeldioxid: unplausibel hoch", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-co": { title: "Kohlenmonoxid: unplausibel hoch", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-heat": {
    title: "Lufttemperatur: unplausibel hoch",
    advice: "Nachbarn ansehen; Strahlungsschutz prüfen. Echte Hitze oder ein Feuer ist Sache des Leitstands.",
  },
  "suspect-cold": { title: "Lufttemperatur unplausibel niedrig", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-speed": { title: "Geschwindigkeit: unplausibel hoch", advice: "Konfiguration des Detektors prüfen." },
  "suspect-flow": { title: "Verkehrsstärke: unplausibel hoch", advice: "Prellen: Detektorkarte und Schleife prüfen." },
  "suspect-occupancy": {
    title: "Belegungsgrad: unplausibel hoch",
    advice: "Kamera ansehen; fließt der Verkehr, hängt der Detektor beinahe: Karte zurücksetzen.",
  },
  "suspect-current": {
    title: "Stromstärke: unplausibel hoch",
    advice:
      "Zuerst die Nachbarn ansehen: Ist es echt, den Leitstand informieren; wenn nicht, das Übersetzungsverhältnis des Stromwandlers prüfen.",
  },
  "spikes-pm25": { title: "Feinstaub PM2,5: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-pm10": { title: "Feinstaub PM10: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-no2": { title: "Stickstoffdioxid: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-o3": { title: "Ozon: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-so2": { title: "Schwefeldioxid: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-co": { title: "Kohlenmonoxid: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-temperature": { title: "Lufttemperatur: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-humidity": { title: "Luftfeuchte: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-voltage": { title: "Spannung: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-oil-temperature": { title: "Öltemperatur: Spitzen in den Werten", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "drift-pm25": { title: "Feinstaubsensor (PM2,5) driftet", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-pm10": { title: "Feinstaubsensor (PM10) driftet", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-no2": { title: "Stickstoffdioxid-Sensor driftet", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-o3": { title: "Ozon-Sensor driftet", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "traffic-congestion": {
    title: "Stau",
    advice: "Kamera ansehen, auf einen Zwischenfall prüfen, Signalpläne oder Anzeigen anpassen.",
  },
  "traffic-slow": { title: "Verkehr langsamer als die Hälfte der freien Geschwindigkeit" },
  "detector-locked": {
    title: "Schleifendetektor dauerbelegt",
    advice: "Detektorkarte zurücksetzen; Schleife und Zuleitung auf Schäden prüfen.",
  },
  "detector-no-hits": { title: "Schleifendetektor ohne Erfassungen", advice: CHECK_LOOP_FEEDER_CABLE_DETECTOR },
  "detector-constant": { title: "Schleifendetektor ohne Änderung", advice: CHECK_LOOP_FEEDER_CABLE_DETECTOR },
  "traffic-standstill": { title: "Verkehr steht", advice: "Kamera ansehen; Verkehr umleiten." },
  "speed-unusual": { title: "Verkehr ungewöhnlich langsam", advice: LOOK_CAMERA_CHECK_INCIDENT },
  "occupancy-unusual": { title: "Detektor ungewöhnlich stark belegt", advice: LOOK_CAMERA_CHECK_INCIDENT },
  "travel-time-unusual": { title: "Reisezeit ungewöhnlich lang", advice: "Strecke auf einen Zwischenfall prüfen." },
} satisfies Readonly<Record<en.DeliveredRule, RuleTexts>>;
