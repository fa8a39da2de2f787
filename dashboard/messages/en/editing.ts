import type { RemovedView } from "../../../contract/account.ts";

export const editing = {
  place: "Place",
  noPlace: "No place",
  newDistrict: "A new district …",
  newDistrictId: "Id of the new district",
  noGateway: "none",
  edit: "Edit",
  undo: "Undo",
  undoOf: (name: string) => `Undo: ${name}`,
  removedLately: "Removed in the last 24 hours",
  moreRemoved: (n: number) => `${n} more removed in the last 24 hours`,
  removedBy: (name: string) => `removed by ${name}`,
  removedWhat: {
    user: "User",
    device: "Password of",
    gateway: "Gateway",
    sensor: "Sensor",
    target: "Target",
    crew: "Crew",
    district: "Name and outline of",
  } satisfies Record<RemovedView["what"], string>,
  canUndo: "This can be undone for 24 hours.",
  rotate: "New password",
  rotateTitle: (name: string) => `New password for ${name}`,
  rotateHint: "The old password is accepted until the new one is used, but no longer than you choose here.",
  overlap: "Accept the old password for",
  overlapOf: (hours: number) =>
    hours === 0
      ? "no longer (it is known to others)"
      : hours < 24
        ? "1 hour"
        : hours === 24
          ? "1 day"
          : `${hours / 24} days`,
  rotated: (name: string) => `${name} has a new password`,
  rotatedHint: (until: string) =>
    `Shown only once. The old password is accepted until this one is used, at the latest until ${until}.`,
  rotatedAtOnce: "Shown only once. The old password is no longer accepted.",
  twoPasswords: "new password not used yet",
  changeUser: (name: string) => `Change ${name}`,
  userName: "User name",
  displayName: "Name",
  displayNameHint: "As people call them. Optional.",
  signedIn: (n: number) => (n === 1 ? "signed in once" : `signed in ${n} times`),
  signOut: "Sign out",
  signOutTitle: (name: string) => `Sign ${name} out everywhere?`,
  signOutHint: "All browsers are signed out at once. The password stays; programs that use it go on.",
  signedOut: (name: string) => `${name} is signed out everywhere.`,
  reset: "Reset password",
  resetTitle: (name: string) => `A new password for ${name}?`,
  resetHint: "The old password no longer works, and they are signed out everywhere.",
  resetDone: (name: string) => `${name} has a new password`,
  changeGateway: (name: string) => `Change ${name}`,
  otherDistricts: "Other districts",
  districts: "Districts",
  districtsHint:
    "What the page calls a district, and where it ends on the map. A district is there as soon as a sensor is in it.",
  addDistrict: "Name another district",
  editDistrict: (name: string) => `Edit ${name}`,
  districtName: "Name",
  sensorsIn: "Sensors",
  outline: "Outline",
  hasOutline: "drawn",
  noOutline: "none",
  outlineText: "GeoJSON",
  outlineHint:
    "A Polygon or MultiPolygon in degrees (WGS 84), longitude first: pasted, or from a file. Empty: no outline.",
  outlineFile: "From a file",
  notJson: "This is not JSON.",
  whichFeature: "Which part of the file",
  noFeature: "There is no Polygon or MultiPolygon in it.",
  savedDistrict: (inside: number, all: number) => `Saved. ${inside} of ${all} sensors with a known place are inside.`,
  savedName: "Saved.",
  outside: (ids: string) => `Outside: ${ids}.`,
  removeDistrict: (name: string) => `Forget the name and outline of ${name}?`,
  removeDistrictHint: "Its sensors stay where they are.",
  retireSensor: (id: string) => `Remove ${id}?`,
  retireSensorHint:
    "It is taken off the register: its alerts end, its readings stay, what it goes on to send is refused.",
  revoke: "Revoke password",
};
