import type { map as en } from "../en/map.ts";

export const map: typeof en = {
  zoomIn: "Acercar",
  zoomOut: "Alejar",
  failed: "No se ha podido cargar el mapa. El resto de la página funciona sin él.",
  pickLabel: "Elegir un lugar en el mapa",
  pickHint:
    "Haga clic en el mapa para fijar el lugar, o arrastre el marcador. Con el teclado: las flechas mueven el mapa, + y − cambian la escala, Intro fija el lugar en el centro.",
};
