/** The calendar of silences and maintenance. */
export const calendar = {
  title: "Calendar",
  previous: "Previous month",
  next: "Next month",
  today: "This month",
  allDay: "all day",
  until: (time: string) => `until ${time}`,
  none: "Nothing is planned in this month.",
  more: (n: number) => `${n} more`,
  truncated: "More is planned than one month can show.",
};
