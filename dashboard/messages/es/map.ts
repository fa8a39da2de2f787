import type { map as en } from "../en/map.ts";

export const map: typeof en = {
  zoomIn: "Acercar",
  zoomOut: "Alejar",
  failed: "No se ha podido cargar el mapa. El resto de la página funciona sin él.",
  pickLabel: "Elegir un lugar en el mapa",
  pickHint:
    "Haga clic en el mapa para fijar el lugar, o arrastre el marcador. Con el teclado: las flechas mueven el mapa, + y − cambian la escala, Intro fija el lugar en el centro.",
  layers: "Capas",
  kinds: "Sensores",
  shown: "Mostrar",
  alerts: "Alertas",
  maintenance: "Silenciados o en mantenimiento",
  coverage: "Cobertura",
  coverageHint: "500 m alrededor de un sensor",
  legend: "Leyenda",
  values: "Colorear por valor",
  noValues: "Ninguno",
  nothingSent: "Ningún sensor lo ha enviado.",
  calm: "Sin alertas abiertas",
  search: "Buscar calle, sensor o distrito",
  found: "Lugares encontrados",
  nothingFound: "Nada se llama así.",
  place: "Lugar",
  where: (what) => `Mapa: dónde está ${what}`,
  files: "Archivos de mapa",
  filesHint:
    "Lo que hay debajo de los sensores: PMTiles (hasta 512 MiB) o GeoJSON (hasta 32 MiB), en la carpeta de datos y en las copias de seguridad. No se pregunta a otros servidores.",
  noFiles: "No hay ninguno: el mapa muestra solo los sensores.",
  from: { settings: "indicado en la configuración", upload: "subido", simulation: "de la ciudad simulada" },
  remove: (name) => `Quitar ${name}`,
  upload: "Subir un archivo de mapa",
};
