/**
 * Where the limits of the default rules come from, by the words of their files. What a city's own rules say stays as they
 * say it.
 */
export const sources: Readonly<Record<string, string>> = {
  "Directive (EU) 2024/2881, Annex I, information threshold: 150 µg/m³ as an hourly mean":
    "Richtlinie (EU) 2024/2881, Anhang I, Informationsschwelle: 150 µg/m³ als Stundenmittel",
  "Directive 2008/50/EC, Annex XI, limit value: 200 µg/m³ as an hourly mean, in at most 18 hours a year (3 from 2030, (EU) 2024/2881)":
    "Richtlinie 2008/50/EG, Anhang XI, Grenzwert: 200 µg/m³ als Stundenmittel, in höchstens 18 Stunden im Jahr (3 ab 2030, (EU) 2024/2881)",
  "Directive (EU) 2024/2881, Annex I, alert threshold: 200 µg/m³ over three consecutive hours":
    "Richtlinie (EU) 2024/2881, Anhang I, Alarmschwelle: 200 µg/m³ in drei aufeinanderfolgenden Stunden",
  "Directive 2008/50/EC, Annex XII: 400 µg/m³ over three consecutive hours":
    "Richtlinie 2008/50/EG, Anhang XII: 400 µg/m³ in drei aufeinanderfolgenden Stunden",
  "Directive (EU) 2024/2881, Annex I, information threshold: 275 µg/m³ as an hourly mean":
    "Richtlinie (EU) 2024/2881, Anhang I, Informationsschwelle: 275 µg/m³ als Stundenmittel",
  "Directive 2008/50/EC, Annex XI, limit value: 350 µg/m³ as an hourly mean, in at most 24 hours a year (3 from 2030, (EU) 2024/2881)":
    "Richtlinie 2008/50/EG, Anhang XI, Grenzwert: 350 µg/m³ als Stundenmittel, in höchstens 24 Stunden im Jahr (3 ab 2030, (EU) 2024/2881)",
  "Directive (EU) 2024/2881, Annex I, alert threshold: 350 µg/m³ over three consecutive hours":
    "Richtlinie (EU) 2024/2881, Anhang I, Alarmschwelle: 350 µg/m³ in drei aufeinanderfolgenden Stunden",
  "Directive 2008/50/EC, Annex XII: 500 µg/m³ over three consecutive hours":
    "Richtlinie 2008/50/EG, Anhang XII: 500 µg/m³ in drei aufeinanderfolgenden Stunden",
  "Directive (EU) 2024/2881, Annex I, information threshold: 180 µg/m³ as an hourly mean (the same in 2008/50/EC, Annex XII)":
    "Richtlinie (EU) 2024/2881, Anhang I, Informationsschwelle: 180 µg/m³ als Stundenmittel (ebenso 2008/50/EG, Anhang XII)",
  "Directive (EU) 2024/2881, Annex I, alert threshold: 240 µg/m³ as an hourly mean (the same in 2008/50/EC, Annex XII)":
    "Richtlinie (EU) 2024/2881, Anhang I, Alarmschwelle: 240 µg/m³ als Stundenmittel (ebenso 2008/50/EG, Anhang XII)",
  "Directive (EU) 2024/2881, Annex I, limit value from 2030: 25 µg/m³ as a daily mean, on at most 18 days a year":
    "Richtlinie (EU) 2024/2881, Anhang I, Grenzwert ab 2030: 25 µg/m³ als Tagesmittel, an höchstens 18 Tagen im Jahr",
  "Directive (EU) 2024/2881, Annex I, alert and information threshold: 50 µg/m³ as a daily mean":
    "Richtlinie (EU) 2024/2881, Anhang I, Alarm- und Informationsschwelle: 50 µg/m³ als Tagesmittel",
  "Directive (EU) 2024/2881, Annex I, limit value from 2030: 45 µg/m³ as a daily mean, on at most 18 days a year":
    "Richtlinie (EU) 2024/2881, Anhang I, Grenzwert ab 2030: 45 µg/m³ als Tagesmittel, an höchstens 18 Tagen im Jahr",
  "Directive 2008/50/EC, Annex XI, limit value: 50 µg/m³ as a daily mean, on at most 35 days a year":
    "Richtlinie 2008/50/EG, Anhang XI, Grenzwert: 50 µg/m³ als Tagesmittel, an höchstens 35 Tagen im Jahr",
  "Directive (EU) 2024/2881, Annex I, alert and information threshold: 90 µg/m³ as a daily mean":
    "Richtlinie (EU) 2024/2881, Anhang I, Alarm- und Informationsschwelle: 90 µg/m³ als Tagesmittel",
  "Directive (EU) 2024/2881, Annex I, ozone target value: 120 µg/m³ as 8-hour mean, on at most 18 days a year (mean of three years; 25 in 2008/50/EC)":
    "Richtlinie (EU) 2024/2881, Anhang I, Zielwert für Ozon: 120 µg/m³ als 8-Stunden-Mittel, an höchstens 18 Tagen im Jahr (Mittel über drei Jahre; 25 in 2008/50/EG)",
  "Directive (EU) 2024/2881, Annex I, limit value: 10 mg/m³ as maximum daily 8-hour mean (the same in 2008/50/EC)":
    "Richtlinie (EU) 2024/2881, Anhang I, Grenzwert: 10 mg/m³ als höchstes 8-Stunden-Mittel eines Tages (ebenso 2008/50/EG)",
  "European Air Quality Index of the European Environment Agency, bands of 2025 (ETC HE Report 2024/17): class 5":
    "Europäischer Luftqualitätsindex der Europäischen Umweltagentur, Klassen von 2025 (ETC HE Report 2024/17): Klasse 5",
  "European Air Quality Index of the European Environment Agency, bands of 2025 (ETC HE Report 2024/17): class 6":
    "Europäischer Luftqualitätsindex der Europäischen Umweltagentur, Klassen von 2025 (ETC HE Report 2024/17): Klasse 6",
  "Practice: PM2.5 beyond PM10 by more than the 25 % that each may be wrong (2008/50/EC, Annex I) and 10 µg/m³, for 3 h":
    "Praxis: PM2,5 liegt 3 h lang um mehr als die zulässigen 25 % Unsicherheit (2008/50/EG, Anhang I) und 10 µg/m³ über PM10",
  "Practice, after rate-of-rise heat detectors (EN 54-5): 8 °C within 10 min":
    "Praxis nach Wärmedifferentialmeldern (EN 54-5): 8 °C innerhalb von 10 min",
  "Hampel identifier against the same hour of other days (median and MAD), practice: 6 robust standard deviations and 5 °C for 3 h":
    "Hampel-Identifikator gegen dieselbe Stunde anderer Tage (Median und MAD), Praxis: 3 h lang 6 robuste Standardabweichungen und 5 °C",
  "Practice: 25 % within 10 min is steam or water at the sensor, or a broken one":
    "Praxis: 25 % innerhalb von 10 min sind Dampf oder Wasser am Sensor, oder er ist defekt",
  "Practice: no reading for three intervals, and at least 30 min":
    "Praxis: kein Messwert über drei Messintervalle und mindestens 30 min",
  "Practice: no reading for 24 h (and for three intervals)":
    "Praxis: kein Messwert über 24 h (und drei Messintervalle)",
  "Practice: 60 % of the sensors behind a gateway fell silent within 15 min":
    "Praxis: 60 % der Sensoren hinter einem Gateway fielen innerhalb von 15 min aus",
  "Practice: ten messages refused within 6 h; the sensor talks, and nothing of it is taken":
    "Praxis: zehn abgewiesene Nachrichten innerhalb von 6 h; der Sensor sendet, und nichts davon wird angenommen",
  "Practice: below 20 %": "Praxis: unter 20 %",
  "Practice: below 10 %": "Praxis: unter 10 %",
  "Practice: trend of three weeks (Theil-Sen) reaches 10 % in less than 30 days":
    "Praxis: der Trend von drei Wochen (Theil-Sen) erreicht 10 % in weniger als 30 Tagen",
  "Practice: trend of two weeks (Theil-Sen) reaches 10 % in less than 7 days":
    "Praxis: der Trend von zwei Wochen (Theil-Sen) erreicht 10 % in weniger als 7 Tagen",
  "Practice: industrial components, 60 °C inside the enclosure": "Praxis: Industriebauteile, 60 °C im Gehäuse",
  "Practice: industrial components, 70 °C inside the enclosure": "Praxis: Industriebauteile, 70 °C im Gehäuse",
  "Practice: batteries and displays below -25 °C": "Praxis: Batterien und Anzeigen unter -25 °C",
  "Hampel identifier (median and MAD), practice: for 8 h 4 robust standard deviations and 5 °C off its usual":
    "Hampel-Identifikator (Median und MAD), Praxis: 8 h lang 4 robuste Standardabweichungen und 5 °C neben dem Üblichen",
  "Practice: 12 °C within an hour; what warmed it has stopped, or the door is open":
    "Praxis: 12 °C innerhalb einer Stunde; was es wärmte, steht, oder die Tür ist offen",
  "EN 50160: 10-minute mean below 230 V - 10 % (indicator; the standard allows 5 % of a week)":
    "EN 50160: 10-Minuten-Mittel unter 230 V - 10 % (Anhaltspunkt; die Norm lässt 5 % einer Woche zu)",
  "EN 50160: 10-minute mean below 230 V - 15 %, the band for all of the week":
    "EN 50160: 10-Minuten-Mittel unter 230 V - 15 %, die Grenze für die ganze Woche",
  "EN 50160: 10-minute mean above 230 V + 10 %, the band for all of the week":
    "EN 50160: 10-Minuten-Mittel über 230 V + 10 %, die Grenze für die ganze Woche",
  "Practice: 264 V (230 V + 15 %), a usual critical limit of power quality meters":
    "Praxis: 264 V (230 V + 15 %), eine übliche kritische Grenze von Netzqualitätsmessgeräten",
  "EN 50160: 50 Hz - 1 % (10-second means, 99.5 % of a year)":
    "EN 50160: 50 Hz - 1 % (10-Sekunden-Mittel, 99,5 % eines Jahres)",
  "EN 50160: 50 Hz + 1 % (10-second means, 99.5 % of a year)":
    "EN 50160: 50 Hz + 1 % (10-Sekunden-Mittel, 99,5 % eines Jahres)",
  "Practice: 5 % as early warning below the 8 % of EN 50160": "Praxis: 5 % als Vorwarnung unter den 8 % der EN 50160",
  "EN 50160: THD of the voltage at most 8 % (10-minute means, 95 % of a week)":
    "EN 50160: THD der Spannung höchstens 8 % (10-Minuten-Mittel, 95 % einer Woche)",
  "Planning practice: advisory at 80 % of the rated current for 30 min":
    "Planungspraxis: Hinweis bei 80 % des Bemessungsstroms über 30 min",
  "Planning practice: 100 % of the rated current for 15 min (IEC 60076-7 allows 150 % cyclic)":
    "Planungspraxis: 100 % des Bemessungsstroms über 15 min (IEC 60076-7 erlaubt zyklisch 150 %)",
  "Practice: 120 % of the rated current for 15 min; each 6 K of hot spot doubles ageing (IEC 60076-7)":
    "Praxis: 120 % des Bemessungsstroms über 15 min; je 6 K am Heißpunkt verdoppelt sich die Alterung (IEC 60076-7)",
  "Practice: top oil 90 °C, 15 K below the limit of IEC 60076-7":
    "Praxis: Öl oben 90 °C, 15 K unter der Grenze der IEC 60076-7",
  "IEC 60076-7: top oil at most 105 °C in normal cyclic loading":
    "IEC 60076-7: Öl oben höchstens 105 °C bei normaler zyklischer Belastung",
  "IEC 60076-7: top oil at most 105 °C; the trend of 2 h (Theil-Sen) reaches it within 40 min":
    "IEC 60076-7: Öl oben höchstens 105 °C; der Trend von 2 h (Theil-Sen) erreicht sie innerhalb von 40 min",
  "Practice: the trend of 2 h (Theil-Sen) reaches 120 % of the rated current within 40 min":
    "Praxis: der Trend von 2 h (Theil-Sen) erreicht 120 % des Bemessungsstroms innerhalb von 40 min",
  "Hampel identifier against the same hour of other weeks (median and MAD), practice: 8 robust standard deviations for 2 h":
    "Hampel-Identifikator gegen dieselbe Stunde anderer Wochen (Median und MAD), Praxis: 2 h lang 8 robuste Standardabweichungen",
  "Practice of street light monitoring: no power for 15 min in the night, dusk and dawn left out (SLightliMon)":
    "Praxis der Überwachung von Straßenbeleuchtung: nachts 15 min ohne Leistung, Dämmerung ausgenommen (SLightliMon)",
  "Practice of street light monitoring: a tenth of the power of other nights missing for 30 min (SLightliMon: 200 W)":
    "Praxis der Überwachung von Straßenbeleuchtung: 30 min lang fehlt ein Zehntel der Leistung anderer Nächte (SLightliMon: 200 W)",
  "Practice of street light monitoring: more than 15 % of the power by day for an hour (day burner)":
    "Praxis der Überwachung von Straßenbeleuchtung: eine Stunde lang mehr als 15 % der Leistung am Tag (Tagbrenner)",
  "Practice of street light monitoring: more than 15 min off the astronomical time in three nights in a row":
    "Praxis der Überwachung von Straßenbeleuchtung: in drei Nächten in Folge mehr als 15 min neben der astronomischen Zeit",
  "Practice of street light monitoring: lamps that restart in the middle of the night had no supply":
    "Praxis der Überwachung von Straßenbeleuchtung: Lampen, die mitten in der Nacht neu starten, hatten keine Versorgung",
  "Practice of street light monitoring: off for 15 min in the night, dusk and dawn left out":
    "Praxis der Überwachung von Straßenbeleuchtung: nachts 15 min aus, Dämmerung ausgenommen",
  "Practice of street light monitoring: on by day for an hour (day burner)":
    "Praxis der Überwachung von Straßenbeleuchtung: eine Stunde lang am Tag an (Tagbrenner)",
  "Practice: a register fell, or rose faster than 10 MW can":
    "Praxis: ein Zählerstand fiel oder stieg schneller, als es mit 10 MW möglich ist",
  "Practice: no value for 12 h (and for three intervals) while the station sends others":
    "Praxis: kein Wert über 12 h (und drei Messintervalle), während die Station andere sendet",
  "Practice: three values in a day that the hardware cannot measure":
    "Praxis: drei Werte an einem Tag, die das Gerät nicht messen kann",
  "QARTOD flat line test (IOOS); 12 h for slow quantities, practice":
    "QARTOD-Prüfung auf unveränderte Werte (IOOS); 12 h für träge Größen, Praxis",
  "QARTOD flat line test (IOOS); 20 h, practice: coarse values and long zeros are normal":
    "QARTOD-Prüfung auf unveränderte Werte (IOOS); 20 h, Praxis: grobe Werte und lange Nullen sind normal",
  "QARTOD flat line test (IOOS); 3 h for fast quantities, practice":
    "QARTOD-Prüfung auf unveränderte Werte (IOOS); 3 h für schnelle Größen, Praxis",
  "QARTOD flat line test (IOOS); 1 h, practice: a voltage is never still":
    "QARTOD-Prüfung auf unveränderte Werte (IOOS); 1 h, Praxis: eine Spannung steht nie still",
  "Practice: one value repeated by 60 % of the stations of a district that got stuck within 6 h (Beijing, O3, March 2013)":
    "Praxis: 60 % der Stationen eines Bezirks wiederholen einen Wert und begannen damit innerhalb von 6 h (Peking, O3, März 2013)",
  "Practice: one value repeated by 60 % of the detectors of a district that got stuck within 30 min":
    "Praxis: 60 % der Detektoren eines Bezirks wiederholen einen Wert und begannen damit innerhalb von 30 min",
  "Practice: above 500 µg/m³ is possible and rare (plausible range of the metrics table)":
    "Praxis: über 500 µg/m³ ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 600 µg/m³ is possible and rare (plausible range of the metrics table)":
    "Praxis: über 600 µg/m³ ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 400 µg/m³ is possible and rare (plausible range of the metrics table)":
    "Praxis: über 400 µg/m³ ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 15 mg/m³ is possible and rare (plausible range of the metrics table)":
    "Praxis: über 15 mg/m³ ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 48 °C is possible and rare (plausible range of the metrics table)":
    "Praxis: über 48 °C ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: below -30 °C is possible and rare (plausible range of the metrics table)":
    "Praxis: unter -30 °C ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 200 km/h is possible and rare (plausible range of the metrics table)":
    "Praxis: über 200 km/h ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 12,000 veh/h is possible and rare (plausible range of the metrics table)":
    "Praxis: über 12.000 Fz/h ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 95 % is possible and rare (plausible range of the metrics table)":
    "Praxis: über 95 % ist möglich und selten (plausibler Bereich der Messgröße)",
  "Practice: above 4,000 A is possible and rare (plausible range of the metrics table)":
    "Praxis: über 4.000 A ist möglich und selten (plausibler Bereich der Messgröße)",
  "QARTOD spike test (IOOS); practice: three values of a day 200 µg/m³ off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 200 µg/m³ neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 300 µg/m³ off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 300 µg/m³ neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 150 µg/m³ off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 150 µg/m³ neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 5 mg/m³ off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 5 mg/m³ neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 10 °C off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 10 °C neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 30 % off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 30 % neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 40 V off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 40 V neben den Werten davor und danach",
  "QARTOD spike test (IOOS); practice: three values of a day 15 °C off their neighbours in time":
    "QARTOD-Prüfung auf Spitzen (IOOS); Praxis: drei Werte eines Tages 15 °C neben den Werten davor und danach",
  "Practice: daily mean 30 % off the median of its neighbours for 7 days":
    "Praxis: Tagesmittel 7 Tage lang 30 % neben dem Median der Nachbarn",
  "Practice: occupancy above 35 % in three consecutive intervals (fixed-threshold incident detection)":
    "Praxis: Belegung über 35 % in drei aufeinanderfolgenden Intervallen (Störfallerkennung mit festem Schwellenwert)",
  "Practice: speed below half of the free-flow speed (speed performance index of 50: congested)":
    "Praxis: Geschwindigkeit unter der Hälfte der Geschwindigkeit bei freiem Verkehr (Speed Performance Index 50: Stau)",
  "Practice, level of service F of urban streets (HCM): speed at most 30 % of free flow, for 10 min":
    "Praxis, Verkehrsqualitätsstufe F städtischer Straßen (HCM): 10 min lang höchstens 30 % der Geschwindigkeit bei freiem Verkehr",
  "IRIS detector failure rule: locked on at 100 % occupancy (2 min on main lanes, 30 min on ramps)":
    "IRIS-Regel für Detektorausfälle: dauernd 100 % belegt (2 min auf Hauptfahrstreifen, 30 min auf Rampen)",
  "IRIS detector failure rule: no hits for 4 h (NTCIP 1202: no activity); any constant flow counts":
    "IRIS-Regel für Detektorausfälle: 4 h keine Erfassung (NTCIP 1202: keine Aktivität); jede unveränderte Verkehrsstärke zählt",
  "IRIS detector failure rule: occupancy unchanged for 24 h":
    "IRIS-Regel für Detektorausfälle: Belegung 24 h lang unverändert",
  "Practice: standard normal deviate incident detection in its robust form (median and MAD of the same hour of the week)":
    "Praxis: Störfallerkennung nach der Standardnormalabweichung in robuster Form (Median und MAD derselben Wochenstunde)",
  "sent by an admin to try out this target": "von der Administration, um dieses Ziel zu prüfen",
  "Lamppost watches itself": "Lamppost überwacht sich selbst",
};
