import { computed, signal } from "@preact/signals";
import { query, setQuery } from "../shell/router.ts";
import type { User } from "../shell/session.ts";
import { clock } from "../words/time.tsx";
import { type Card, cardsOf, keepSections, type Order } from "./list/cards.ts";
import { foresee, type Warning } from "./list/crew-list.ts";
import { createList } from "./list/list-state.ts";
import { createLocator } from "./list/locator.ts";
import { me, onActed, openQueue } from "./open-queue.ts";
import { deedsOf, type Item, type NewItem } from "./queue/item.ts";
import type { Queue } from "./queue/queue.ts";

const MAY_ACT: readonly User["role"][] = ["crew", "operator", "admin"];

/** Everything the crews' list shows and remembers while it is open. `close` when it closes. */
export function createCrew() {
  const queue = signal<Queue | undefined>(undefined);
  const { list, reach, savedAt, aheadMs, ...asked } = createList(() => void queue.peek()?.flush());
  const mayAct = computed(() => MAY_ACT.includes(me.value?.role ?? "viewer"));
  /** The service's time: the clock of a phone may be wrong, and days are counted with it. */
  const now = computed(() => clock.value + aheadMs.value);
  const order = signal<Order>("urgent");
  const locator = createLocator();
  const district = computed(() => query.value.get("district") ?? "");
  const waiting = computed(() => queue.value?.waiting.value ?? []);
  /** The last press was lost on the way to the queue: whoever pressed must know. */
  const notKept = signal(false);
  /** The card in which something was pressed: its next button gets the focus. */
  const pressed = signal<string | undefined>(undefined);
  /** In which section each card was first shown: what is taken stays under the thumb, and no other card slips there. */
  const sections = new Map<string, Card["whose"]>();

  /** As it will be when everything has arrived. */
  const warnings = computed(() => (list.value?.alerts ?? []).map((one) => foresee(one, waiting.value)));
  const districts = computed(() =>
    [...new Set(warnings.value.flatMap(({ subject }) => subject.district ?? []))].sort(),
  );
  const cards = computed(() => {
    const alerts = warnings.value.filter(({ subject }) => !district.value || subject.district === district.value);
    const about = { me: me.value?.name, now: now.value, position: locator.position.value, order: order.value };
    return keepSections(cardsOf({ alerts, sensors: list.value?.sensors ?? [] }, about), sections);
  });

  async function add(items: readonly NewItem[]): Promise<void> {
    try {
      notKept.value = !queue.peek();
      await queue.peek()?.add(items);
    } catch {
      notKept.value = true;
    }
  }

  async function press(targets: readonly Warning[], action: Item["action"], place: string, note?: string) {
    const user = me.peek()?.name;
    if (user === undefined) return;
    const about = { user, action, place, madeAt: Date.now(), ...(note ? { note } : {}) };
    await add(
      targets.map(({ id: alertId, rule: { title }, people }) => {
        return { ...about, alertId, title, before: deedsOf(people, user, action).length };
      }),
    );
  }

  /** What was not done is not lost: the words go to the alert as a comment, in the place of the refused press. */
  async function sendNote({ key, refusal: _, tries: __, ...item }: Item): Promise<void> {
    const people = list.peek()?.alerts.find(({ id }) => id === item.alertId)?.people ?? [];
    const before = deedsOf(people, item.user, "comment").length;
    await add([{ ...item, action: "comment", madeAt: Date.now(), before }]);
    if (!notKept.peek()) await queue.peek()?.remove(key);
  }

  /** Whoever asks, wants to see the list as it is: mine first. */
  function refresh(): Promise<void> {
    sections.clear();
    return asked.refresh();
  }

  const comeBack = () => document.visibilityState === "visible" && void refresh();
  document.addEventListener("visibilitychange", comeBack);
  const stopHearing = onActed(asked.follow);
  void openQueue().then(async (opened) => {
    queue.value = opened;
    await asked.showKept();
    await asked.refresh();
  });

  return {
    ...{ list, reach, savedAt, me, mayAct, now, order, locator, district, districts, cards, queue, waiting },
    ...{ notKept, pressed, refresh, press, sendNote },
    setDistrict(name: string): void {
      sections.clear();
      setQuery({ district: name });
    },
    setOrder(wanted: Order): void {
      sections.clear();
      order.value = wanted;
    },
    close(): void {
      asked.close();
      stopHearing();
      document.removeEventListener("visibilitychange", comeBack);
    },
  };
}

export type CrewState = ReturnType<typeof createCrew>;
