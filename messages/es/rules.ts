import type * as en from "../en/rules.ts";
import type { RuleTexts } from "../pack.ts";

const PUT_BATTERY_NEXT_ROUTE = "Incluya el cambio de batería en la próxima ruta.";
const SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW = "Transfiera carga ya a un transformador vecino.";
const WAS_METER_EXCHANGED_ENTER_NEW =
  "¿Se cambió el contador? Introduzca su nueva lectura inicial; si no, léalo in situ.";
const CHECK_ANALYSER_CONNECTION_STATION_ITSELF = "Revise el analizador y su conexión; la estación funciona.";
const CHECK_ANALYSER_ELSE_STATION_SENDS = "Revise el analizador; lo demás que envía la estación se acepta.";
const CHECK_PROBE_WIRING_ELSE_SENSOR = "Revise la sonda y su cableado; lo demás que envía el sensor se acepta.";
const COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE = "Compare con los vecinos; limpie la toma de aire o cambie el sensor.";
const COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE = "Compare con los vecinos; reinicie o cambie el dispositivo.";
const ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES =
  "Pregunte a quien recoge y publica los valores; no hace falta visitar las estaciones.";
const LOOK_NEIGHBOURS_FIRST_REAL_TELL =
  "Mire primero los vecinos: si es real, avise a los operadores; si no, revise el sensor.";
const CHECK_CONNECTORS_POWER_SUPPLY = "Revise los conectores y la alimentación.";
const RECALIBRATE_LOOK_NEW_LOCAL_SOURCE = "Recalibre; antes busque una nueva fuente cercana.";
const CHECK_LOOP_FEEDER_CABLE_DETECTOR = "Revise el lazo, su cable y la tarjeta del detector.";
const LOOK_CAMERA_CHECK_INCIDENT = "Mire la cámara y compruebe si hay un incidente.";

export const rules: Readonly<Record<string, RuleTexts>> = {
  "eu-pm25": { title: "Partículas finas por encima del valor límite diario" },
  "eu-pm10": { title: "Partículas por encima del valor límite diario de 2030" },
  "eu2008-pm10-day": { title: "Partículas por encima del valor límite diario" },
  "eu2008-no2-hour": { title: "Dióxido de nitrógeno por encima del valor límite horario" },
  "eu2008-so2-hour": { title: "Dióxido de azufre por encima del valor límite horario" },
  "eu-no2-alert": {
    title: "Dióxido de nitrógeno: umbral de alerta",
    advice: "Compruebe las estaciones vecinas, informe a la población e inicie el plan de acción a corto plazo.",
  },
  "eu-no2-information": { title: "Dióxido de nitrógeno: umbral de información" },
  "eu-so2-alert": {
    title: "Dióxido de azufre: umbral de alerta",
    advice:
      "Busque una fuente industrial a barlovento, informe a la población e inicie el plan de acción a corto plazo.",
  },
  "eu-so2-information": { title: "Dióxido de azufre: umbral de información" },
  "eu-o3-alert": {
    title: "Ozono: umbral de alerta",
    advice:
      "Informe de inmediato a la población; los planes de acción a corto plazo consideran tres horas consecutivas.",
  },
  "eu-o3-information": { title: "Ozono: umbral de información" },
  "eu-pm25-alert": { title: "Partículas PM2,5: umbral de alerta" },
  "eu-pm10-alert": { title: "Partículas PM10: umbral de alerta" },
  "eu2008-no2-alert": { title: "Dióxido de nitrógeno: umbral de alerta (2008)" },
  "eu2008-so2-alert": { title: "Dióxido de azufre: umbral de alerta (2008)" },
  "particles-disagree": {
    title: "Partículas finas y gruesas se contradicen",
    advice: "Compare ambos canales con un sensor vecino; limpie la entrada y revise el caudal y la calibración.",
  },
  "aqi-very-poor": { title: "Calidad del aire muy desfavorable", advice: "Informe a los grupos sensibles." },
  "aqi-extremely-poor": {
    title: "Calidad del aire extremadamente desfavorable",
    advice: "Informe a la población; los grupos sensibles deberían quedarse en casa.",
  },
  "heat-near-sensor": {
    title: "La temperatura del aire sube deprisa",
    advice: "Busque fuego o gases calientes cerca del sensor.",
  },
  "air-temperature-unusual": {
    title: "Temperatura del aire inusual",
    advice: "Compare con los vecinos: el tiempo, o el sensor y su protección.",
  },
  "humidity-jump": { title: "La humedad sube deprisa", advice: "Busque agua o vapor junto al sensor." },
  "sensor-silent": {
    title: "Sensor sin comunicación",
    advice: "Revise la alimentación y el módem; mire si sus vecinos tampoco comunican.",
  },
  "sensor-silent-day": { title: "Sensor sin comunicación desde hace un día", advice: "Planifique una visita." },
  "gateway-outage": {
    title: "Pasarela caída",
    advice: "Revise la alimentación y el enlace de la pasarela antes que ninguno de sus sensores.",
  },
  "messages-refused": {
    title: "Los mensajes llegan y se rechazan",
    advice:
      "Mire el ejemplo; corrija el reloj, el formato o el registro del dispositivo. La alimentación y el módem están bien.",
  },
  "battery-low": { title: "Batería baja", advice: PUT_BATTERY_NEXT_ROUTE },
  "battery-critical": {
    title: "Batería casi agotada",
    advice: "Cambie la batería antes de que el sensor deje de comunicar.",
  },
  "battery-flat-in-a-month": { title: "La batería se agotará en un mes", advice: PUT_BATTERY_NEXT_ROUTE },
  "battery-flat-in-a-week": { title: "La batería se agotará en una semana", advice: "Cambie la batería esta semana." },
  "enclosure-hot": { title: "Caja caliente", advice: "Revise la ventilación y la sombra." },
  "enclosure-overheated": {
    title: "Caja sobrecalentada",
    advice: "Revíselo in situ; la electrónica está en su límite.",
  },
  "enclosure-cold": { title: "Caja muy fría" },
  "enclosure-temperature-unusual": {
    title: "Temperatura de máquina o caja inusual",
    advice: "Algo en el interior está más caliente o más frío que de costumbre: revíselo in situ.",
  },
  "enclosure-cooling-fast": {
    title: "Máquina o caja se enfría deprisa",
    advice: "¿Está en marcha? ¿Está cerrada la puerta?",
  },
  "voltage-low": {
    title: "Tensión baja en la línea",
    advice: "Revise la carga y el cambiador de tomas de la línea; abra una incidencia con la distribuidora.",
  },
  "voltage-very-low": {
    title: "Tensión muy baja en la línea",
    advice: "Posible pérdida de neutro o de fase. Envíe una brigada.",
  },
  "voltage-high": {
    title: "Tensión alta en la línea",
    advice: "Revise el cambiador de tomas y la generación conectada a la línea.",
  },
  "voltage-very-high": {
    title: "Tensión peligrosamente alta en la línea",
    advice: "Posible pérdida de neutro. Envíe una brigada de inmediato; los aparatos pueden dañarse.",
  },
  "frequency-low": { title: "Frecuencia de la red baja" },
  "frequency-high": { title: "Frecuencia de la red alta" },
  "thd-elevated": { title: "Distorsión de la tensión elevada" },
  "thd-high": { title: "Distorsión de la tensión alta", advice: "Busque una nueva carga con convertidor en la línea." },
  "transformer-load-advisory": { title: "Transformador por encima del 80 % de carga" },
  "transformer-overload": {
    title: "Sobrecarga del transformador",
    advice: "Transfiera carga a un transformador vecino si sube la temperatura del aceite.",
  },
  "transformer-overload-critical": {
    title: "Sobrecarga del transformador por encima del 120 %",
    advice: "Transfiera carga ya; envíe una brigada al centro de transformación.",
  },
  "oil-temperature-high": {
    title: "Aceite del transformador caliente",
    advice: "Revise los ventiladores, el nivel de aceite y la carga.",
  },
  "oil-temperature-critical": { title: "Aceite del transformador en el límite", advice: "Descargue el transformador." },
  "oil-temperature-ahead": {
    title: "El aceite del transformador pronto llegará al límite",
    advice: SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW,
  },
  "transformer-overload-ahead": {
    title: "El transformador pronto superará su límite",
    advice: SWITCH_LOAD_NEIGHBOURING_TRANSFORMER_NOW,
  },
  "power-unusual": {
    title: "Potencia inusual para la hora",
    advice: "Averigüe qué cambió: una conmutación de línea, un evento, una avería.",
  },
  "street-light-dark": {
    title: "Alumbrado público apagado",
    advice:
      "Revisar el fusible principal, el contactor y la alimentación del cuadro; preguntar a la distribuidora si hay un corte.",
  },
  "street-light-lamps-out": {
    title: "Alumbrado público apagado en parte",
    advice:
      "Si falta un tercio es una fase o un fusible; la mitad, un circuito; menos, lámparas sueltas: recorrer la calle de noche.",
  },
  "street-light-by-day": {
    title: "Alumbrado público encendido de día",
    advice: "Trabajos en curso, o un contactor pegado, una fotocélula tapada, un interruptor en manual.",
  },
  "street-light-switching": {
    title: "Alumbrado público a deshora",
    advice:
      "Poner en hora el reloj del cuadro (una hora: horario de verano; creciente: su batería o su señal horaria), limpiar la fotocélula.",
  },
  "street-light-interruption": {
    title: "Suministro del alumbrado interrumpido",
    advice: "Una vez: preguntar a la distribuidora. Repetido: buscar un contacto flojo o una protección que salta.",
  },
  "lamp-state-dark": {
    title: "Alumbrado público sin encender",
    advice: "Revisar controlador, reloj y fotocélula: no recibió la orden o no la cumplió.",
  },
  "lamp-state-by-day": {
    title: "Alumbrado público conectado de día",
    advice: "Trabajos en curso, o una fotocélula tapada, un interruptor en manual.",
  },
  "eu-o3-8h": { title: "Ozono por encima del valor objetivo (8 h)" },
  "eu-co-8h": { title: "Monóxido de carbono por encima del valor límite (8 h)" },
  "meter-import-register": { title: "Contador (consumo) con fallo", advice: WAS_METER_EXCHANGED_ENTER_NEW },
  "meter-export-register": { title: "Contador (vertido) con fallo", advice: WAS_METER_EXCHANGED_ENTER_NEW },
  "missing-pm25": { title: "Partículas PM2,5: faltan valores", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-pm10": { title: "Partículas PM10: faltan valores", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-no2": { title: "Dióxido de nitrógeno: faltan valores", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-o3": { title: "Ozono: faltan valores", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-so2": { title: "Dióxido de azufre: faltan valores", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "missing-co": { title: "Monóxido de carbono: faltan valores", advice: CHECK_ANALYSER_CONNECTION_STATION_ITSELF },
  "impossible-pm25": { title: "Partículas PM2,5: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-pm10": { title: "Partículas PM10: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-no2": { title: "Dióxido de nitrógeno: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-o3": { title: "Ozono: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-so2": { title: "Dióxido de azufre: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-co": { title: "Monóxido de carbono: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-temperature": { title: "Temperatura: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-humidity": { title: "Humedad: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-noise": { title: "Ruido: valores imposibles", advice: CHECK_ANALYSER_ELSE_STATION_SENDS },
  "impossible-flow": { title: "Intensidad de tráfico: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-occupancy": { title: "Ocupación: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-speed": { title: "Velocidad: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-active-power": { title: "Potencia activa: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-voltage": { title: "Tensión: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-current": { title: "Corriente: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-oil-temperature": {
    title: "Temperatura del aceite: valores imposibles",
    advice: CHECK_PROBE_WIRING_ELSE_SENSOR,
  },
  "impossible-battery": { title: "Batería: valores imposibles", advice: CHECK_PROBE_WIRING_ELSE_SENSOR },
  "impossible-enclosure-temperature": {
    title: "Temperatura de la caja: valores imposibles",
    advice: CHECK_PROBE_WIRING_ELSE_SENSOR,
  },
  "stuck-pm25": { title: "Sensor de PM2,5 bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-pm10": { title: "Sensor de PM10 bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-pm1": { title: "Sensor de PM1 bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-no2": {
    title: "Analizador de dióxido de nitrógeno bloqueado",
    advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE,
  },
  "stuck-o3": { title: "Analizador de ozono bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-so2": { title: "Analizador de dióxido de azufre bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-co": { title: "Analizador de monóxido de carbono bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-co2": { title: "Sensor de dióxido de carbono bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-temperature": { title: "Termómetro bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-humidity": { title: "Sensor de humedad bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-noise": { title: "Sonómetro bloqueado", advice: COMPARE_NEIGHBOURS_CLEAN_INLET_REPLACE },
  "stuck-speed": { title: "Detector de velocidad bloqueado", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-voltage": { title: "Medida de tensión bloqueada", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-current": { title: "Medida de corriente bloqueada", advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE },
  "stuck-active-power": {
    title: "Medida de potencia activa bloqueada",
    advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE,
  },
  "stuck-reactive-power": {
    title: "Medida de potencia reactiva bloqueada",
    advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE,
  },
  "stuck-oil-temperature": {
    title: "Termómetro del aceite bloqueado",
    advice: COMPARE_NEIGHBOURS_RESTART_REPLACE_DEVICE,
  },
  "publication-fault-pm25": {
    title: "Partículas PM2,5: se repiten los valores de un distrito",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-pm10": {
    title: "Partículas PM10: se repiten los valores de un distrito",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-no2": {
    title: "Dióxido de nitrógeno: se repiten los valores de un distrito",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-o3": {
    title: "Ozono: se repiten los valores de un distrito",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-so2": {
    title: "Dióxido de azufre: se repiten los valores de un distrito",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-co": {
    title: "Monóxido de carbono: se repiten los valores de un distrito",
    advice: ASK_WHOEVER_COLLECTS_PUBLISHES_VALUES,
  },
  "publication-fault-speed": {
    title: "Las velocidades de un distrito se repiten",
    advice: "Pregunte a quien recoge y publica los valores; no hace falta visitar los detectores.",
  },
  "suspect-pm25": { title: "Partículas PM2,5: valor inverosímil", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-pm10": { title: "Partículas PM10: valor inverosímil", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-no2": { title: "Dióxido de nitrógeno: valor inverosímil", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-o3": { title: "Ozono: valor inverosímil", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-so2": { title: "Dióxido de azufre: valor inverosímil", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-co": { title: "Monóxido de carbono: valor inverosímil", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-heat": {
    title: "Temperatura del aire: valor inverosímil",
    advice:
      "Mire los vecinos; revise la protección contra la radiación. Un calor real o un incendio es asunto de los operadores.",
  },
  "suspect-cold": { title: "Temperatura del aire inverosímilmente baja", advice: LOOK_NEIGHBOURS_FIRST_REAL_TELL },
  "suspect-speed": {
    title: "Velocidad del tráfico: valor inverosímil",
    advice: "Revise la configuración del detector.",
  },
  "suspect-flow": {
    title: "Intensidad del tráfico: valor inverosímil",
    advice: "Rebotes: revise la tarjeta del detector y su lazo.",
  },
  "suspect-occupancy": {
    title: "Ocupación del detector: valor inverosímil",
    advice: "Mire la cámara; si el tráfico fluye, el detector está casi bloqueado: reinicie su tarjeta.",
  },
  "suspect-current": {
    title: "Corriente: valor inverosímil",
    advice:
      "Mire primero los vecinos: si es real, avise a los operadores; si no, revise la relación del transformador de corriente.",
  },
  "spikes-pm25": { title: "Partículas PM2,5: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-pm10": { title: "Partículas PM10: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-no2": { title: "Dióxido de nitrógeno: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-o3": { title: "Ozono: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-so2": { title: "Dióxido de azufre: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-co": { title: "Monóxido de carbono: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-temperature": { title: "Temperatura del aire: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-humidity": { title: "Humedad: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-voltage": { title: "Tensión: picos en los valores", advice: CHECK_CONNECTORS_POWER_SUPPLY },
  "spikes-oil-temperature": {
    title: "Temperatura del aceite: picos en los valores",
    advice: CHECK_CONNECTORS_POWER_SUPPLY,
  },
  "drift-pm25": { title: "Sensor de PM2,5 con deriva", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-pm10": { title: "Sensor de PM10 con deriva", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-no2": { title: "Sensor de dióxido de nitrógeno con deriva", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "drift-o3": { title: "Sensor de ozono con deriva", advice: RECALIBRATE_LOOK_NEW_LOCAL_SOURCE },
  "traffic-congestion": {
    title: "Congestión",
    advice: "Mire la cámara, compruebe si hay un incidente y adapte los planes semafóricos o los paneles.",
  },
  "traffic-slow": { title: "Tráfico a menos de la mitad de la velocidad libre" },
  "detector-locked": {
    title: "Detector de lazo bloqueado en ocupado",
    advice: "Reinicie la tarjeta del detector; revise si el lazo o su cable están dañados.",
  },
  "detector-no-hits": { title: "Detector de lazo sin detecciones", advice: CHECK_LOOP_FEEDER_CABLE_DETECTOR },
  "detector-constant": { title: "Detector de lazo sin cambios", advice: CHECK_LOOP_FEEDER_CABLE_DETECTOR },
  "traffic-standstill": { title: "Tráfico parado", advice: "Mire la cámara; desvíe el tráfico." },
  "speed-unusual": { title: "Tráfico inusualmente lento", advice: LOOK_CAMERA_CHECK_INCIDENT },
  "occupancy-unusual": { title: "Detector inusualmente ocupado", advice: LOOK_CAMERA_CHECK_INCIDENT },
  "travel-time-unusual": {
    title: "Tiempo de recorrido inusualmente largo",
    advice: "Compruebe si hay un incidente en la ruta.",
  },
} satisfies Readonly<Record<en.DeliveredRule, RuleTexts>>;
