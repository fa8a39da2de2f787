import { startApp } from "../../app/app.ts";
import { loadConfig } from "../../app/config.ts";
import { type Log, SILENT } from "../../model/log.ts";

// A process for start-stop.test.ts: starts and stops the service in the folder it is given, once with each environment of
// a JSON list, and prints how that went: {message, exitCode} or {ready, parts} (parts in the order of their start). It does
// not exit by itself: what a start left running would keep it alive.
const [dataDir, envs] = process.argv.slice(2) as [string, string];
const outcomes: object[] = [];
for (const env of JSON.parse(envs) as Record<string, string>[]) {
  const parts: string[] = [];
  const listening: Log = {
    ...SILENT,
    debug: (fields, text) => void (text === "stopped" && parts.unshift((fields as { part: string }).part)),
    child: () => SILENT,
  };
  const own = { LAMPPOST_DATA_DIR: dataDir, LAMPPOST_HTTP_PORT: "0", LAMPPOST_MQTT_PORT: "0" };
  try {
    const config = loadConfig({ ...own, LAMPPOST_LOG_LEVEL: "warn", ...env });
    const app = await startApp(config, listening, (error) => {
      throw error;
    });
    const ready = (await fetch(`${app.http}/readyz`)).status;
    const cutOff = await app.stop();
    if (cutOff.length > 0) throw new Error(`cut off: ${cutOff}`);
    outcomes.push({ ready, parts });
  } catch (error) {
    const { message, exitCode } = error as { message: string; exitCode?: number };
    outcomes.push({ message, exitCode });
  }
}
process.stdout.write(JSON.stringify(outcomes));
