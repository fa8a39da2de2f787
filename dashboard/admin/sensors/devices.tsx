import { Gateways } from "./gateways.tsx";
import { Sensors } from "./sensors.tsx";

/** What may send: sensors with a password of their own, and gateways that speak for others. */
export function Devices() {
  return (
    <>
      <Sensors />
      <Gateways />
    </>
  );
}
