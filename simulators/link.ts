import { connect, type IClientOptions, type MqttClient } from "mqtt";

export type LinkOptions = {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly will?: { readonly topic: string; readonly payload: string };
  readonly random: () => number;
  onConnect(client: MqttClient): void;
  /** The broker knows this login and says no: there will be no further try. */
  onRefused(reason: string): void;
};

const BACK_OFF_MS_MIN = 250;
const BACK_OFF_MS_MAX = 15_000;
/** CONNACK return codes of MQTT 3.1.1: wrong user name or password, not authorised. Trying again does not help. */
const REFUSED = new Set([4, 5]);

/**
 * A connection that comes back: each one is a new MQTT.js client, so that nothing of an old one is sent by surprise.
 * Reconnects wait a random time that grows, so that a city does not come back at once.
 */
export function openLink(options: LinkOptions) {
  let client: MqttClient | undefined;
  let failures = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function open() {
    const mine = connect(options.url, clientOptions(options));
    client = mine;
    mine.on("connect", () => {
      failures = 0;
      options.onConnect(mine);
    });
    mine.on("error", (error) => {
      if (REFUSED.has((error as { code?: number }).code ?? -1)) options.onRefused(error.message);
    });
    mine.on("close", () => {
      if (client !== mine) return;
      client = undefined;
      mine.end(true);
      if (!closed) timer = setTimeout(open, backOffMs(failures++, options.random));
    });
  }

  open();
  return {
    /** The client, while it is connected. */
    current: () => (client?.connected ? client : undefined),
    /** Ends it for good; politely, so that the broker does not send the last will, or at once. */
    async close(politely: boolean): Promise<void> {
      closed = true;
      clearTimeout(timer);
      const last = client;
      if (politely && last?.connected) await new Promise<void>((done) => last.end(false, {}, () => done()));
      else last?.end(true);
    },
  };
}

function backOffMs(failures: number, random: () => number): number {
  return BACK_OFF_MS_MIN + random() * Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** failures);
}

function clientOptions({ clientId, username, password, will }: LinkOptions): IClientOptions {
  return {
    ...{ clientId, username, password },
    clean: true,
    keepalive: 30,
    connectTimeout: 10_000,
    // We reconnect ourselves, see above.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(will ? { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } } : {}),
  };
}
