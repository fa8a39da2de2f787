/**
 * Where the limits of the default rules come from, by the words of their files. What a city's own rules say stays as they
 * say it.
 */
export const sources: Readonly<Record<string, string>> = {
  "Directive (EU) 2024/2881, Annex I, information threshold: 150 µg/m³ as an hourly mean":
    "Directiva (UE) 2024/2881, anexo I, umbral de información: 150 µg/m³ de media horaria",
  "Directive 2008/50/EC, Annex XI, limit value: 200 µg/m³ as an hourly mean, in at most 18 hours a year (3 from 2030, (EU) 2024/2881)":
    "Directiva 2008/50/CE, anexo XI, valor límite: 200 µg/m³ de media horaria, en 18 horas al año como máximo (3 desde 2030, (UE) 2024/2881)",
  "Directive (EU) 2024/2881, Annex I, alert threshold: 200 µg/m³ over three consecutive hours":
    "Directiva (UE) 2024/2881, anexo I, umbral de alerta: 200 µg/m³ durante tres horas consecutivas",
  "Directive 2008/50/EC, Annex XII: 400 µg/m³ over three consecutive hours":
    "Directiva 2008/50/CE, anexo XII: 400 µg/m³ durante tres horas consecutivas",
  "Directive (EU) 2024/2881, Annex I, information threshold: 275 µg/m³ as an hourly mean":
    "Directiva (UE) 2024/2881, anexo I, umbral de información: 275 µg/m³ de media horaria",
  "Directive 2008/50/EC, Annex XI, limit value: 350 µg/m³ as an hourly mean, in at most 24 hours a year (3 from 2030, (EU) 2024/2881)":
    "Directiva 2008/50/CE, anexo XI, valor límite: 350 µg/m³ de media horaria, en 24 horas al año como máximo (3 desde 2030, (UE) 2024/2881)",
  "Directive (EU) 2024/2881, Annex I, alert threshold: 350 µg/m³ over three consecutive hours":
    "Directiva (UE) 2024/2881, anexo I, umbral de alerta: 350 µg/m³ durante tres horas consecutivas",
  "Directive 2008/50/EC, Annex XII: 500 µg/m³ over three consecutive hours":
    "Directiva 2008/50/CE, anexo XII: 500 µg/m³ durante tres horas consecutivas",
  "Directive (EU) 2024/2881, Annex I, information threshold: 180 µg/m³ as an hourly mean (the same in 2008/50/EC, Annex XII)":
    "Directiva (UE) 2024/2881, anexo I, umbral de información: 180 µg/m³ de media horaria (lo mismo en 2008/50/CE, anexo XII)",
  "Directive (EU) 2024/2881, Annex I, alert threshold: 240 µg/m³ as an hourly mean (the same in 2008/50/EC, Annex XII)":
    "Directiva (UE) 2024/2881, anexo I, umbral de alerta: 240 µg/m³ de media horaria (lo mismo en 2008/50/CE, anexo XII)",
  "Directive (EU) 2024/2881, Annex I, limit value from 2030: 25 µg/m³ as a daily mean, on at most 18 days a year":
    "Directiva (UE) 2024/2881, anexo I, valor límite desde 2030: 25 µg/m³ de media diaria, en 18 días al año como máximo",
  "Directive (EU) 2024/2881, Annex I, alert and information threshold: 50 µg/m³ as a daily mean":
    "Directiva (UE) 2024/2881, anexo I, umbral de alerta e información: 50 µg/m³ de media diaria",
  "Directive (EU) 2024/2881, Annex I, limit value from 2030: 45 µg/m³ as a daily mean, on at most 18 days a year":
    "Directiva (UE) 2024/2881, anexo I, valor límite desde 2030: 45 µg/m³ de media diaria, en 18 días al año como máximo",
  "Directive 2008/50/EC, Annex XI, limit value: 50 µg/m³ as a daily mean, on at most 35 days a year":
    "Directiva 2008/50/CE, anexo XI, valor límite: 50 µg/m³ de media diaria, en 35 días al año como máximo",
  "Directive (EU) 2024/2881, Annex I, alert and information threshold: 90 µg/m³ as a daily mean":
    "Directiva (UE) 2024/2881, anexo I, umbral de alerta e información: 90 µg/m³ de media diaria",
  "Directive (EU) 2024/2881, Annex I, ozone target value: 120 µg/m³ as 8-hour mean, on at most 18 days a year (mean of three years; 25 in 2008/50/EC)":
    "Directiva (UE) 2024/2881, anexo I, valor objetivo de ozono: 120 µg/m³ de media de 8 horas, en 18 días al año como máximo (media de tres años; 25 en 2008/50/CE)",
  "Directive (EU) 2024/2881, Annex I, limit value: 10 mg/m³ as maximum daily 8-hour mean (the same in 2008/50/EC)":
    "Directiva (UE) 2024/2881, anexo I, valor límite: 10 mg/m³ como máxima media de 8 horas del día (lo mismo en 2008/50/CE)",
  "European Air Quality Index of the European Environment Agency, bands of 2025 (ETC HE Report 2024/17): class 5":
    "Índice europeo de calidad del aire de la Agencia Europea de Medio Ambiente, clases de 2025 (ETC HE Report 2024/17): clase 5",
  "European Air Quality Index of the European Environment Agency, bands of 2025 (ETC HE Report 2024/17): class 6":
    "Índice europeo de calidad del aire de la Agencia Europea de Medio Ambiente, clases de 2025 (ETC HE Report 2024/17): clase 6",
  "Practice: PM2.5 beyond PM10 by more than the 25 % that each may be wrong (2008/50/EC, Annex I) and 10 µg/m³, for 3 h":
    "Práctica: PM2,5 supera a PM10 durante 3 h en más del 25 % de incertidumbre admitida (2008/50/CE, anexo I) y 10 µg/m³",
  "Practice, after rate-of-rise heat detectors (EN 54-5): 8 °C within 10 min":
    "Práctica según los detectores termovelocimétricos (EN 54-5): 8 °C en 10 min",
  "Hampel identifier against the same hour of other days (median and MAD), practice: 6 robust standard deviations and 5 °C for 3 h":
    "Identificador de Hampel frente a la misma hora de otros días (mediana y MAD), práctica: 6 desviaciones típicas robustas y 5 °C durante 3 h",
  "Practice: 25 % within 10 min is steam or water at the sensor, or a broken one":
    "Práctica: un 25 % en 10 min es vapor o agua en el sensor, o un sensor averiado",
  "Practice: no reading for three intervals, and at least 30 min":
    "Práctica: ninguna medición en tres intervalos y al menos 30 min",
  "Practice: no reading for 24 h (and for three intervals)":
    "Práctica: ninguna medición en 24 h (y en tres intervalos)",
  "Practice: 60 % of the sensors behind a gateway fell silent within 15 min":
    "Práctica: el 60 % de los sensores de una pasarela dejó de comunicar en 15 min",
  "Practice: ten messages refused within 6 h; the sensor talks, and nothing of it is taken":
    "Práctica: diez mensajes rechazados en 6 h; el sensor envía y no se acepta nada",
  "Practice: below 20 %": "Práctica: por debajo del 20 %",
  "Practice: below 10 %": "Práctica: por debajo del 10 %",
  "Practice: trend of three weeks (Theil-Sen) reaches 10 % in less than 30 days":
    "Práctica: la tendencia de tres semanas (Theil-Sen) llega al 10 % en menos de 30 días",
  "Practice: trend of two weeks (Theil-Sen) reaches 10 % in less than 7 days":
    "Práctica: la tendencia de dos semanas (Theil-Sen) llega al 10 % en menos de 7 días",
  "Practice: industrial components, 60 °C inside the enclosure":
    "Práctica: componentes industriales, 60 °C dentro de la caja",
  "Practice: industrial components, 70 °C inside the enclosure":
    "Práctica: componentes industriales, 70 °C dentro de la caja",
  "Practice: batteries and displays below -25 °C": "Práctica: baterías y pantallas por debajo de -25 °C",
  "Hampel identifier (median and MAD), practice: for 8 h 4 robust standard deviations and 5 °C off its usual":
    "Identificador de Hampel (mediana y MAD), práctica: 4 desviaciones típicas robustas y 5 °C fuera de lo habitual durante 8 h",
  "Practice: 12 °C within an hour; what warmed it has stopped, or the door is open":
    "Práctica: 12 °C en una hora; lo que la calentaba se ha parado, o la puerta está abierta",
  "EN 50160: 10-minute mean below 230 V - 10 % (indicator; the standard allows 5 % of a week)":
    "EN 50160: media de 10 minutos por debajo de 230 V - 10 % (indicativo; la norma admite el 5 % de la semana)",
  "EN 50160: 10-minute mean below 230 V - 15 %, the band for all of the week":
    "EN 50160: media de 10 minutos por debajo de 230 V - 15 %, la banda para toda la semana",
  "EN 50160: 10-minute mean above 230 V + 10 %, the band for all of the week":
    "EN 50160: media de 10 minutos por encima de 230 V + 10 %, la banda para toda la semana",
  "Practice: 264 V (230 V + 15 %), a usual critical limit of power quality meters":
    "Práctica: 264 V (230 V + 15 %), un límite crítico habitual de los analizadores de calidad de red",
  "EN 50160: 50 Hz - 1 % (10-second means, 99.5 % of a year)":
    "EN 50160: 50 Hz - 1 % (medias de 10 segundos, 99,5 % del año)",
  "EN 50160: 50 Hz + 1 % (10-second means, 99.5 % of a year)":
    "EN 50160: 50 Hz + 1 % (medias de 10 segundos, 99,5 % del año)",
  "Practice: 5 % as early warning below the 8 % of EN 50160": "Práctica: 5 % como aviso previo al 8 % de EN 50160",
  "EN 50160: THD of the voltage at most 8 % (10-minute means, 95 % of a week)":
    "EN 50160: THD de la tensión del 8 % como máximo (medias de 10 minutos, 95 % de la semana)",
  "Planning practice: advisory at 80 % of the rated current for 30 min":
    "Práctica de planificación: aviso al 80 % de la corriente nominal durante 30 min",
  "Planning practice: 100 % of the rated current for 15 min (IEC 60076-7 allows 150 % cyclic)":
    "Práctica de planificación: 100 % de la corriente nominal durante 15 min (IEC 60076-7 admite un 150 % cíclico)",
  "Practice: 120 % of the rated current for 15 min; each 6 K of hot spot doubles ageing (IEC 60076-7)":
    "Práctica: 120 % de la corriente nominal durante 15 min; cada 6 K del punto caliente duplican el envejecimiento (IEC 60076-7)",
  "Practice: top oil 90 °C, 15 K below the limit of IEC 60076-7":
    "Práctica: aceite en la parte superior a 90 °C, 15 K por debajo del límite de IEC 60076-7",
  "IEC 60076-7: top oil at most 105 °C in normal cyclic loading":
    "IEC 60076-7: aceite en la parte superior a 105 °C como máximo en carga cíclica normal",
  "IEC 60076-7: top oil at most 105 °C; the trend of 2 h (Theil-Sen) reaches it within 40 min":
    "IEC 60076-7: aceite en la parte superior a 105 °C como máximo; la tendencia de 2 h (Theil-Sen) los alcanza en 40 min",
  "Practice: the trend of 2 h (Theil-Sen) reaches 120 % of the rated current within 40 min":
    "Práctica: la tendencia de 2 h (Theil-Sen) alcanza el 120 % de la corriente nominal en 40 min",
  "Hampel identifier against the same hour of other weeks (median and MAD), practice: 8 robust standard deviations for 2 h":
    "Identificador de Hampel frente a la misma hora de otras semanas (mediana y MAD), práctica: 8 desviaciones típicas robustas durante 2 h",
  "Practice of street light monitoring: no power for 15 min in the night, dusk and dawn left out (SLightliMon)":
    "Práctica de la telegestión del alumbrado: 15 min sin potencia por la noche, sin contar los crepúsculos (SLightliMon)",
  "Practice of street light monitoring: a tenth of the power of other nights missing for 30 min (SLightliMon: 200 W)":
    "Práctica de la telegestión del alumbrado: falta durante 30 min una décima parte de la potencia de otras noches (SLightliMon: 200 W)",
  "Practice of street light monitoring: more than 15 % of the power by day for an hour (day burner)":
    "Práctica de la telegestión del alumbrado: más del 15 % de la potencia de día durante una hora",
  "Practice of street light monitoring: more than 15 min off the astronomical time in three nights in a row":
    "Práctica de la telegestión del alumbrado: más de 15 min de diferencia con la hora astronómica tres noches seguidas",
  "Practice of street light monitoring: lamps that restart in the middle of the night had no supply":
    "Práctica de la telegestión del alumbrado: unas lámparas que arrancan a mitad de la noche se habían quedado sin suministro",
  "Practice of street light monitoring: off for 15 min in the night, dusk and dawn left out":
    "Práctica de la telegestión del alumbrado: apagado 15 min por la noche, sin contar los crepúsculos",
  "Practice of street light monitoring: on by day for an hour (day burner)":
    "Práctica de la telegestión del alumbrado: encendido de día durante una hora",
  "Practice: a register fell, or rose faster than 10 MW can":
    "Práctica: un contador bajó, o subió más deprisa de lo que permiten 10 MW",
  "Practice: no value for 12 h (and for three intervals) while the station sends others":
    "Práctica: ningún valor en 12 h (y en tres intervalos) mientras la estación envía otros",
  "Practice: three values in a day that the hardware cannot measure":
    "Práctica: tres valores en un día que el equipo no puede medir",
  "QARTOD flat line test (IOOS); 12 h for slow quantities, practice":
    "Prueba QARTOD de valores constantes (IOOS); 12 h para magnitudes lentas, práctica",
  "QARTOD flat line test (IOOS); 20 h, practice: coarse values and long zeros are normal":
    "Prueba QARTOD de valores constantes (IOOS); 20 h, práctica: los valores poco finos y los ceros largos son normales",
  "QARTOD flat line test (IOOS); 3 h for fast quantities, practice":
    "Prueba QARTOD de valores constantes (IOOS); 3 h para magnitudes rápidas, práctica",
  "QARTOD flat line test (IOOS); 1 h, practice: a voltage is never still":
    "Prueba QARTOD de valores constantes (IOOS); 1 h, práctica: una tensión nunca está quieta",
  "Practice: one value repeated by 60 % of the stations of a district that got stuck within 6 h (Beijing, O3, March 2013)":
    "Práctica: el 60 % de las estaciones de un distrito repite un valor y empezó en un plazo de 6 h (Pekín, O3, marzo de 2013)",
  "Practice: one value repeated by 60 % of the detectors of a district that got stuck within 30 min":
    "Práctica: el 60 % de los detectores de un distrito repite un valor y empezó en un plazo de 30 min",
  "Practice: above 500 µg/m³ is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 500 µg/m³ es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 600 µg/m³ is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 600 µg/m³ es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 400 µg/m³ is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 400 µg/m³ es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 15 mg/m³ is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 15 mg/m³ es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 48 °C is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 48 °C es posible y raro (rango verosímil de la magnitud)",
  "Practice: below -30 °C is possible and rare (plausible range of the metrics table)":
    "Práctica: por debajo de -30 °C es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 200 km/h is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 200 km/h es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 12,000 veh/h is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 12.000 veh./h es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 95 % is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 95 % es posible y raro (rango verosímil de la magnitud)",
  "Practice: above 4,000 A is possible and rare (plausible range of the metrics table)":
    "Práctica: por encima de 4000 A es posible y raro (rango verosímil de la magnitud)",
  "QARTOD spike test (IOOS); practice: three values of a day 200 µg/m³ off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 200 µg/m³ de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 300 µg/m³ off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 300 µg/m³ de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 150 µg/m³ off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 150 µg/m³ de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 5 mg/m³ off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 5 mg/m³ de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 10 °C off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 10 °C de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 30 % off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 30 % de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 40 V off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 40 V de los anteriores y posteriores",
  "QARTOD spike test (IOOS); practice: three values of a day 15 °C off their neighbours in time":
    "Prueba QARTOD de picos (IOOS); práctica: tres valores de un día a 15 °C de los anteriores y posteriores",
  "Practice: daily mean 30 % off the median of its neighbours for 7 days":
    "Práctica: media diaria a un 30 % de la mediana de sus vecinos durante 7 días",
  "Practice: occupancy above 35 % in three consecutive intervals (fixed-threshold incident detection)":
    "Práctica: ocupación por encima del 35 % en tres intervalos seguidos (detección de incidentes por umbral fijo)",
  "Practice: speed below half of the free-flow speed (speed performance index of 50: congested)":
    "Práctica: velocidad por debajo de la mitad de la de flujo libre (speed performance index de 50: congestión)",
  "Practice, level of service F of urban streets (HCM): speed at most 30 % of free flow, for 10 min":
    "Práctica, nivel de servicio F de vías urbanas (HCM): velocidad de un 30 % de la de flujo libre como máximo, durante 10 min",
  "IRIS detector failure rule: locked on at 100 % occupancy (2 min on main lanes, 30 min on ramps)":
    "Regla IRIS de fallo de detectores: bloqueado al 100 % de ocupación (2 min en carriles principales, 30 min en ramales)",
  "IRIS detector failure rule: no hits for 4 h (NTCIP 1202: no activity); any constant flow counts":
    "Regla IRIS de fallo de detectores: 4 h sin detecciones (NTCIP 1202: sin actividad); cuenta cualquier intensidad constante",
  "IRIS detector failure rule: occupancy unchanged for 24 h":
    "Regla IRIS de fallo de detectores: ocupación sin cambios durante 24 h",
  "Practice: standard normal deviate incident detection in its robust form (median and MAD of the same hour of the week)":
    "Práctica: detección de incidentes por desviación normal estándar en su forma robusta (mediana y MAD de la misma hora de la semana)",
  "sent by an admin to try out this target": "de administración, para probar este destino",
  "Lamppost watches itself": "Lamppost se vigila a sí mismo",
};
