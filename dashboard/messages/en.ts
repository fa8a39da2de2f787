import { admin } from "./en/admin.ts";
import { calendar } from "./en/calendar.ts";
import { capture } from "./en/capture.ts";
import { compare } from "./en/compare.ts";
import { editing } from "./en/editing.ts";
import { feed } from "./en/feed.ts";
import { first } from "./en/first.ts";
import { mappings } from "./en/mappings.ts";
import { personal } from "./en/personal.ts";
import { ruleEditor, rules, ruleWords } from "./en/rules.ts";
import { annotations, handover, sensorsPage, views } from "./en/views.ts";
import { wall } from "./en/wall.ts";

/** Every sentence of the page, by where it is said. English is the model for the other languages: a missing key does not compile. */
export const en = {
  ...first,
  annotations,
  handover,
  sensorsPage,
  views,
  wall,
  admin,
  calendar,
  capture,
  editing,
  compare,
  feed,
  mappings,
  personal,
  ruleEditor,
  ruleWords,
  rules,
};

export type Messages = typeof en;
