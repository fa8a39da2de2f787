export const map = {
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  failed: "The map could not be loaded. The rest of the page works without it.",
  pickLabel: "Choose a place on the map",
  pickHint:
    "Click the map to set the place, or drag the pin. By keyboard: arrow keys move the map, + and − zoom, Enter sets the place in the middle.",
};
