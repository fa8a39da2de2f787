import { startApp } from "../../app/app.ts";
import { loadConfig } from "../../app/config.ts";
import { type Log, SILENT } from "../../model/log.ts";

// A process for start-stop.test.ts: starts the service in the folder it is given once for each of its parts, with a throw
// right after that part has started, and then once more. It does not exit by itself: what a failed start left running
// would keep it alive.
const config = loadConfig({
  LAMPPOST_DATA_DIR: process.argv[2]!,
  LAMPPOST_HTTP_PORT: "0",
  LAMPPOST_MQTT_PORT: "0",
  LAMPPOST_LOG_LEVEL: "warn",
});
const fatal: string[] = [];
const onFatal = (error: Error) => void fatal.push(error.message);

const parts = new Set<string>();
const listening: Log = {
  ...SILENT,
  debug: (fields, text) => void (text === "stopped" && parts.add((fields as { part: string }).part)),
  child: () => SILENT,
};
const first = await startApp(config, listening, onFatal);
await first.stop();

const failures: { part: string; message: string; exitCode: unknown }[] = [];
for (const part of [...parts].reverse()) {
  try {
    await startApp({ ...config, faultAt: `throw=start:${part}` }, SILENT, onFatal);
  } catch (error) {
    const { message, exitCode } = error as { message: string; exitCode?: number };
    failures.push({ part, message, exitCode });
  }
}
const last = await startApp(config, SILENT, onFatal);
const ready = (await fetch(`${last.http}/readyz`)).status;
const cutOff = await last.stop();
process.stdout.write(JSON.stringify({ parts: [...parts].reverse(), failures, ready, cutOff, fatal }));
