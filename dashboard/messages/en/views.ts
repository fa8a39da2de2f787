export const views = {
  title: "Saved filters",
  none: "Nothing saved yet. Only you see what you save.",
  saveThese: (page: string) => `Save what is set on this page (${page})`,
  noFilters: "No filter is set: the name will lead to the whole page.",
  linkHint: "A link to it shows the same to whoever opens it and may sign in.",
  name: "Name",
  save: "Save",
  remove: "Remove",
  copy: "Copy link",
  copied: "Link copied.",
};

export const handover = {
  title: "Handover",
  none: "No notes yet.",
  add: "Note for the next shift",
  hint: "It belongs to no alert and stays as written. It is in the shift report, too.",
  submit: "Leave note",
  seen: "Seen",
  seenBy: (names: string) => `Seen by ${names}`,
};

export const annotations = {
  title: "Notes on charts",
  text: "Note",
  by: "By",
  add: "Note on the chart",
  from: "From",
  to: "To (empty: a moment)",
  onlyThis: (metric: string) => `Only on charts of ${metric}`,
  remove: "Remove",
  none: "No notes in this time.",
};

export const sensorsPage = {
  title: "Sensors",
  hint: "All sensors, in groups, with their worst open alert.",
  search: "Search",
  searchHint: "Name or id",
  followed: "Only those I follow",
  onlyOpen: "Only with open alerts",
  group: "Group by",
  groups: { none: "nothing", district: "District", kind: "Kind" },
  tag: (name: string) => `Tag: ${name}`,
  noValue: "not set",
  count: (n: number, open: number) =>
    `${n === 1 ? "1 sensor" : `${n} sensors`}${open > 0 ? `, ${open} with open alerts` : ""}`,
  follow: (name: string) => `Follow ${name}`,
  star: "Followed",
  sensor: "Sensor",
  kind: "Kind",
  district: "District",
  state: "Worst open alert",
  last: "Last reading",
  calm: "none",
  more: (n: number) => `Show ${n} more`,
  nothing: "No sensor fits.",
  compare: "Compare",
};
