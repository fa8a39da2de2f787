import type * as en from "../en/calendar.ts";

export const calendar: typeof en.calendar = {
  title: "Kalender",
  previous: "Voriger Monat",
  next: "Nächster Monat",
  today: "Dieser Monat",
  allDay: "ganztägig",
  until: (time) => `bis ${time}`,
  none: "In diesem Monat ist nichts geplant.",
  more: (n) => `${n} weitere`,
  truncated: "Es ist mehr geplant, als ein Monat zeigen kann.",
};
