import type { Messages } from "../en.ts";

export const editing: Messages["editing"] = {
  place: "Ort",
  noPlace: "Kein Ort",
  newDistrict: "Ein neuer Bezirk …",
  newDistrictId: "Kennung des neuen Bezirks",
  noGateway: "keines",
  edit: "Bearbeiten",
  undo: "Rückgängig",
  undoOf: (name) => `Rückgängig: ${name}`,
  removedLately: "In den letzten 24 Stunden entfernt",
  moreRemoved: (n) => `${n} weitere in den letzten 24 Stunden entfernt`,
  removedBy: (name) => `entfernt von ${name}`,
  removedWhat: {
    user: "Benutzer",
    device: "Passwort von",
    gateway: "Gateway",
    sensor: "Sensor",
    target: "Empfänger",
    crew: "Trupp",
    district: "Name und Umriss von",
  },
  canUndo: "Das lässt sich 24 Stunden lang rückgängig machen.",
  rotate: "Neues Passwort",
  rotateTitle: (name) => `Neues Passwort für ${name}`,
  rotateHint: "Das alte Passwort gilt, bis das neue benutzt wird, höchstens aber so lange, wie Sie hier wählen.",
  overlap: "Altes Passwort gilt noch",
  overlapOf: (hours) =>
    hours === 0
      ? "gar nicht mehr (es ist anderen bekannt)"
      : hours < 24
        ? "1 Stunde"
        : hours === 24
          ? "1 Tag"
          : `${hours / 24} Tage`,
  rotated: (name) => `${name} hat ein neues Passwort`,
  rotatedHint: (until) =>
    `Wird nur einmal gezeigt. Das alte Passwort gilt, bis dieses benutzt wird, spätestens bis ${until}.`,
  rotatedAtOnce: "Wird nur einmal gezeigt. Das alte Passwort gilt nicht mehr.",
  twoPasswords: "neues Passwort noch nicht benutzt",
  changeUser: (name) => `${name} ändern`,
  userName: "Benutzername",
  displayName: "Name",
  displayNameHint: "Wie die Person heißt. Kann leer bleiben.",
  signedIn: (n) => (n === 1 ? "einmal angemeldet" : `${n}-mal angemeldet`),
  signOut: "Abmelden",
  signOutTitle: (name) => `${name} überall abmelden?`,
  signOutHint: "Alle Browser werden sofort abgemeldet. Das Passwort bleibt; Programme, die es benutzen, laufen weiter.",
  signedOut: (name) => `${name} ist überall abgemeldet.`,
  reset: "Passwort zurücksetzen",
  resetTitle: (name) => `Ein neues Passwort für ${name}?`,
  resetHint: "Das alte Passwort gilt nicht mehr, und die Person wird überall abgemeldet.",
  resetDone: (name) => `${name} hat ein neues Passwort`,
  changeGateway: (name) => `${name} ändern`,
  otherDistricts: "Weitere Bezirke",
  districts: "Bezirke",
  districtsHint:
    "Wie ein Bezirk auf der Seite heißt und wo er auf der Karte endet. Einen Bezirk gibt es, sobald ein Sensor darin ist.",
  addDistrict: "Weiteren Bezirk benennen",
  editDistrict: (name) => `${name} bearbeiten`,
  districtName: "Name",
  sensorsIn: "Sensoren",
  outline: "Umriss",
  hasOutline: "gezeichnet",
  noOutline: "keiner",
  outlineText: "GeoJSON",
  outlineHint:
    "Ein Polygon oder MultiPolygon in Grad (WGS 84), Länge zuerst: eingefügt oder aus einer Datei. Leer: kein Umriss.",
  outlineFile: "Aus einer Datei",
  notJson: "Das ist kein JSON.",
  whichFeature: "Welcher Teil der Datei",
  noFeature: "Es ist kein Polygon oder MultiPolygon darin.",
  savedDistrict: (inside, all) => `Gespeichert. ${inside} von ${all} Sensoren mit bekanntem Ort liegen darin.`,
  savedName: "Gespeichert.",
  outside: (ids) => `Außerhalb: ${ids}.`,
  removeDistrict: (name) => `Name und Umriss von ${name} vergessen?`,
  removeDistrictHint: "Seine Sensoren bleiben, wo sie sind.",
  retireSensor: (id) => `${id} entfernen?`,
  retireSensorHint:
    "Er wird aus dem Register genommen: seine Meldungen enden, seine Messwerte bleiben, was er weiter sendet, wird abgewiesen.",
  revoke: "Passwort entziehen",
};
