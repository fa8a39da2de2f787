import { computed, signal } from "@preact/signals";
import type { AlertView } from "../../api/alerts.ts";
import type { Item, NewItem } from "./item.ts";
import type { QueueStore } from "./queue-store.ts";
import { type SendPorts, send } from "./send.ts";

export type QueuePorts = Omit<SendPorts, "beforeSending"> & {
  /** Whose presses are shown: who is signed in, or was when the list was kept. */
  user(): string | undefined;
  /** Asks the service who is signed in: another window may have changed it. Throws when it does not answer. */
  confirmUser(): Promise<string | undefined>;
  /** How an alert is now that was acted on, or that stood in the way. */
  onAlert(alert: AlertView): void;
  /** False where the browser knows that there is no connection: then what waits was never sent, and can be taken back. */
  isOnline(): boolean;
  /** Runs the work in one window of this browser at a time. */
  alone(work: () => Promise<void>): Promise<void>;
};

/** A press that is younger than this was made on what the screen showed a moment ago. */
const FRESH_MS = 10_000;
const isOld = ({ madeAt, tries }: Item) => tries > 0 || Math.abs(Date.now() - madeAt) > FRESH_MS;
const RETRY_FIRST_MS = 3_000;
const RETRY_MAX_MS = 60_000;

/** The presses of everyone who uses this browser; shows and sends those of the one who is signed in. */
export function createQueue(store: QueueStore, ports: QueuePorts) {
  const items = signal<readonly Item[]>([]);
  const mine = computed(() => items.value.filter(({ user }) => user === ports.user()));
  /** Those that wait, and those that came to nothing and want to be read. */
  const waiting = computed(() => mine.value.filter(({ refusal }) => refusal === undefined));
  const refused = computed(() => mine.value.filter(({ refusal }) => refusal !== undefined));
  let running: Promise<void> | undefined;
  let again = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function reload(): Promise<void> {
    items.value = await store.all();
  }

  async function add(added: readonly NewItem[]): Promise<void> {
    for (const item of added) await store.add(item);
    await reload();
    void flush();
  }

  async function remove(key: number): Promise<void> {
    await store.remove(key);
    await reload();
  }

  /** Sends what waits, oldest first. Two calls at once are one. */
  function flush(): Promise<void> {
    if (running) {
      again = true;
      return running;
    }
    clearTimeout(timer);
    running = ports
      .alone(sendAll)
      .catch(() => {}) // the store failed: what waits is still there
      .then(() => {
        running = undefined;
        if (!again) return;
        again = false;
        return flush();
      });
    return running;
  }

  async function sendAll(): Promise<void> {
    const before = waiting.peek();
    await reload();
    if (!ports.isOnline()) return;
    await lookAtGone(before);
    if (waiting.peek().some(isOld) && !(await isConfirmed())) return;
    for (let item = waiting.peek()[0]; item !== undefined; item = waiting.peek()[0]) {
      if (!(await sendOne(item))) return;
      failures = 0;
    }
  }

  /** What waited and does not any more was sent by another window: this one shows how it is now. */
  async function lookAtGone(before: readonly Item[]): Promise<void> {
    const here = new Set(items.peek().map(({ key }) => key));
    for (const { alertId } of before.filter(({ key }) => !here.has(key))) {
      await ports.look(alertId).then(ports.onAlert, () => {});
    }
  }

  /** Nobody's presses go out under another one's name. */
  async function isConfirmed(): Promise<boolean> {
    try {
      return (await ports.confirmUser()) === ports.user();
    } catch {
      retryLater(undefined);
      return false;
    }
  }

  /** False: not now. */
  async function sendOne(item: Item): Promise<boolean> {
    const sent = await send(item, { ...ports, beforeSending }, isOld(item));
    if ("later" in sent) {
      await reload();
      retryLater(sent.later.retryAfterS);
      return false;
    }
    if ("refusal" in sent) await store.put({ ...item, tries: item.tries + 1, refusal: sent.refusal });
    else await store.remove(item.key);
    const alert = "done" in sent ? sent.done : sent.alert;
    if (alert) ports.onAlert(alert);
    await reload();
    return true;
  }

  const beforeSending = (item: Item) => store.put({ ...item, tries: item.tries + 1 });

  function retryLater(retryAfterS: number | undefined): void {
    const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures);
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), retryAfterS === undefined ? pauseMs : retryAfterS * 1_000);
  }

  return {
    ...{ waiting, refused, load: reload, add, remove, flush, lasting: store.lasting },
    close: () => clearTimeout(timer),
  };
}

export type Queue = ReturnType<typeof createQueue>;
