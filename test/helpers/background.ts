import { createBackground } from "../../app/background.ts";
import { SILENT } from "../../model/log.ts";

/** For parts that are tested alone: timers that run as they do in the service, and nobody who stops them all together. */
export const aBackground = () => createBackground(SILENT, () => {});
