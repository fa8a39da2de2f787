/** Control characters but tab and ends of lines, and marks that turn the direction of what stands around them. */
const CONTROLS = /[^\P{Cc}\t\r\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const ALL_CONTROLS = new RegExp(CONTROLS, "gu");

/** Whether a text shows what it says wherever it is shown. */
export const isPlain = (text: string): boolean => !CONTROLS.test(text);

/** Texts of others, such as payloads, on a terminal: nothing in them moves its cursor or hides a part of a line. */
export const forTerminal = (text: string): string =>
  text.replace(ALL_CONTROLS, "\ufffd").replace(/\r(?!\n)/g, "\ufffd");
