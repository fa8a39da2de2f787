import type * as en from "../en/calendar.ts";

export const calendar: typeof en.calendar = {
  title: "Calendario",
  previous: "Mes anterior",
  next: "Mes siguiente",
  today: "Este mes",
  allDay: "todo el día",
  until: (time) => `hasta las ${time}`,
  none: "No hay nada previsto este mes.",
  more: (n) => `${n} más`,
  truncated: "Hay más previsto de lo que cabe en un mes.",
};
