import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Content, Plan } from "./traffic.ts";

/** The service as seen from outside: a door that is open or not. `answer` comes once, or never. */
export type Door = {
  isOpen(): boolean;
  publish(plan: Plan, content: Content, answer: (error?: Error) => void): void;
};

const LATENCY_MS = [1, 15] as const;
const RECONNECT_MS = [200, 3_000] as const;

/**
 * A device on QoS 1: keeps each message until it has seen its acknowledgement, sends what is left again, in order, when
 * it is connected again. Loses its connection now and then for no reason.
 */
export function createClient(plan: Plan, parts: { clock: Clock; random: Random; door: Door; flaky: number }) {
  const { clock, random, door, flaky } = parts;
  const waiting: { readonly content: Content; isSent: boolean }[] = [];
  let connection = 0;
  let isConnected = false;
  let arrivesAt = 0;
  let toCome = plan.messages.length;
  let sends = 0;

  for (const { dueMs, content } of plan.messages) {
    clock.after(dueMs, () => {
      toCome -= 1;
      waiting.push({ content, isSent: false });
      pump();
    });
  }
  retry();

  function retry(): void {
    clock.after(random.int(...RECONNECT_MS), connect);
  }

  function connect(): void {
    if (isConnected) return;
    if (!door.isOpen()) return retry();
    connection += 1;
    isConnected = true;
    for (const message of waiting) message.isSent = false;
    pump();
  }

  function pump(): void {
    if (!isConnected) return;
    for (const message of waiting.slice(0, plan.inFlightMax)) if (!message.isSent) send(message);
  }

  /** What was sent first arrives first, as TCP has it. */
  function send(message: (typeof waiting)[number]): void {
    message.isSent = true;
    sends += 1;
    const mine = connection;
    arrivesAt = Math.max(arrivesAt, clock.now() + random.int(...LATENCY_MS));
    clock.after(arrivesAt - clock.now(), () => {
      if (mine !== connection || !isConnected) return;
      if (random.chance(flaky)) return cut();
      door.publish(plan, message.content, (error) => {
        if (mine !== connection) return;
        if (error) return cut();
        clock.after(random.int(...LATENCY_MS), () => {
          if (mine === connection && isConnected) settle(message);
        });
      });
    });
  }

  function settle(message: (typeof waiting)[number]): void {
    const at = waiting.indexOf(message);
    if (at >= 0) waiting.splice(at, 1);
    pump();
  }

  /** The connection is gone, with every acknowledgement on its way. */
  function cut(): void {
    if (!isConnected) return;
    isConnected = false;
    connection += 1;
    retry();
  }

  return { cut, isDone: () => toCome === 0 && waiting.length === 0, sends: () => sends };
}

export type Client = ReturnType<typeof createClient>;
