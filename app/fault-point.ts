/**
 * Named points where the fault harness may end the process the hard way, as a power cut would. `spec` names the point,
 * optionally how many passes to let through first, and how many milliseconds later to end it: "after-fsync@3",
 * "before-write@1+4" (in the middle of the write). With `throw=` in front the point throws instead, with `hang=` it never
 * comes back where it is awaited: "throw=start:api". `ACK_BEFORE_FSYNC` may stand beside it, behind a comma. Undefined
 * does nothing.
 */
export function createFaultPoint(
  spec: string | undefined,
): ((point: string) => Promise<never> | undefined) | undefined {
  const text = partsOf(spec).find((part) => part !== ACK_BEFORE_FSYNC) ?? "";
  const parts = /^(?:(throw|hang)=)?([^@+=]+)(?:@(\d+))?(?:\+(\d+))?$/.exec(text);
  if (!parts) return undefined;
  const [, how = "end", wanted, passes = "0", afterMs] = parts;
  let left = Number(passes);
  const end = () => process.kill(process.pid, "SIGKILL");
  return (point) => {
    if (point !== wanted || left-- > 0) return undefined;
    if (how === "throw") throw new Error(`a fault was asked for at ${point}`);
    if (how === "hang") return new Promise<never>(() => {});
    if (afterMs === undefined) end();
    else setTimeout(end, Number(afterMs));
    return undefined;
  };
}

/** The control run of the harness, which must lose messages: they are acknowledged before the journal has them. */
export const isGateOff = (spec: string | undefined): boolean => partsOf(spec).includes(ACK_BEFORE_FSYNC);

const ACK_BEFORE_FSYNC = "ack-before-fsync";
const partsOf = (spec: string | undefined) => spec?.split(",") ?? [];
