/**
 * Named points where the fault harness may end the process the hard way, as a power cut would. `spec` names the point,
 * optionally with how many passes to let through first: "after-fsync@3". Undefined does nothing.
 */
export function createFaultPoint(spec: string | undefined): ((point: string) => void) | undefined {
  if (!spec) return undefined;
  const [wanted, passes] = spec.split("@");
  let left = Number(passes ?? 0);
  return (point) => {
    if (point === wanted && left-- <= 0) process.kill(process.pid, "SIGKILL");
  };
}

/** Acknowledges before the journal has the message: the control run of the harness, which must lose messages. */
export const ACK_BEFORE_FSYNC = "ack-before-fsync";
