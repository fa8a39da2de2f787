import { batch, computed, signal } from "@preact/signals";
import type { AlertView } from "../api/alerts.ts";
import { ApiProblem, ask } from "../api/client.ts";
import { query, setQuery } from "../shell/router.ts";
import { loadSession, session, type User, user, wasSignedIn } from "../shell/session.ts";
import { clock } from "../words/time.tsx";
import { type Card, cardsOf, keepSections, type Order } from "./list/cards.ts";
import { aheadOf, type CrewList, foresee, merge, type Warning } from "./list/crew-list.ts";
import { keep, readKept } from "./list/kept-list.ts";
import { createLocator } from "./list/locator.ts";
import { keptUser, me, onActed, openQueue } from "./open-queue.ts";
import { deedsOf, type Item, type NewItem } from "./queue/item.ts";
import type { Queue } from "./queue/queue.ts";

const ASK_EVERY_MS = 20_000;
const PATIENCE_MS = 15_000;
const MAY_ACT: readonly User["role"][] = ["crew", "operator", "admin"];

/** `lost`: no answer, what is shown is what was kept. `failed`: an answer, but no list. */
export type Reach = "asking" | "here" | "lost" | "failed";

/** Everything the crews' list shows and remembers while it is open. `close` when it closes. */
export function createCrew() {
  const list = signal<CrewList | undefined>(undefined);
  const reach = signal<Reach>("asking");
  /** When the list was true, by this device's clock. */
  const savedAt = signal(0);
  const mayAct = computed(() => MAY_ACT.includes(me.value?.role ?? "viewer"));
  const aheadMs = signal(0);
  /** The service's time: the clock of a phone may be wrong, and days are counted with it. */
  const now = computed(() => clock.value + aheadMs.value);
  const order = signal<Order>("urgent");
  const locator = createLocator();
  /** The last press was lost on the way to the queue: whoever pressed must know. */
  const notKept = signal(false);
  const district = computed(() => query.value.get("district") ?? "");
  const queue = signal<Queue | undefined>(undefined);
  const waiting = computed(() => queue.value?.waiting.value ?? []);

  /** As it will be when everything has arrived. */
  const warnings = computed(() => (list.value?.alerts ?? []).map((one) => foresee(one, waiting.value)));
  const districts = computed(() =>
    [...new Set(warnings.value.flatMap(({ subject }) => subject.district ?? []))].sort(),
  );
  /** In which section each card was first shown: what is taken stays under the thumb, and no other card slips there. */
  const sections = new Map<string, Card["whose"]>();
  const cards = computed(() => {
    const alerts = warnings.value.filter(({ subject }) => !district.value || subject.district === district.value);
    const about = { me: me.value?.name, now: now.value, position: locator.position.value, order: order.value };
    return keepSections(cardsOf({ alerts, sensors: list.value?.sensors ?? [] }, about), sections);
  });
  /** The card in which something was pressed: its next button gets the focus. */
  const pressed = signal<string | undefined>(undefined);

  let etag: string | undefined;
  let asking = false;
  /** Counts what was done here: an answer that was asked for before is older than what is on the screen. */
  let changes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  async function refresh(): Promise<void> {
    if (asking || closed) return;
    asking = true;
    clearTimeout(timer);
    const changesBefore = changes;
    // A phone that slept shows a list of hours ago, until there is an answer.
    if (reach.peek() === "here" && Date.now() - savedAt.peek() > 3 * ASK_EVERY_MS) reach.value = "asking";
    try {
      if (!session.peek()) await loadSession(AbortSignal.timeout(PATIENCE_MS));
      // Known here, and not to the service any more: the shell asks to sign in, and says why.
      if (!user.peek()) wasSignedIn.value ||= keptUser.peek() !== undefined;
      else await load(user.peek()!, changesBefore);
    } catch (error) {
      reach.value = error instanceof ApiProblem && error.status > 0 ? "failed" : "lost";
    }
    asking = false;
    if (closed) return;
    if (changes !== changesBefore) return void refresh();
    timer = setTimeout(wake, ASK_EVERY_MS);
    if (reach.peek() === "here") void queue.peek()?.flush();
  }

  async function load(who: User, changesBefore: number): Promise<void> {
    const known: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    const answer = await ask("GET", "/crew", undefined, AbortSignal.timeout(PATIENCE_MS), known);
    const fresh = answer.status === 304 ? undefined : ((await answer.json()) as CrewList);
    if (changes !== changesBefore || user.peek()?.name !== who.name) return;
    batch(() => {
      const said = Date.parse(answer.headers.get("date") ?? "");
      if (!Number.isNaN(said)) aheadMs.value = aheadOf(said, Date.now());
      if (fresh) list.value = fresh;
      etag = answer.headers.get("etag") ?? undefined;
      savedAt.value = Date.now();
      reach.value = "here";
    });
    await keepIt(who);
  }

  async function keepIt(who: User): Promise<void> {
    if (!list.peek() || user.peek()?.name !== who.name) return;
    const rest = { savedAt: savedAt.peek(), aheadMs: aheadMs.peek(), ...(etag === undefined ? {} : { etag }) };
    await keep({ user: who, list: list.peek()!, ...rest });
  }

  /** Shows what was kept until the service has answered; only to the one it was kept for. */
  async function showKept(): Promise<void> {
    const kept = await readKept();
    if (!kept || list.peek() || (session.peek() && user.peek()?.name !== kept.user.name)) return;
    batch(() => {
      list.value = kept.list;
      etag = kept.etag;
      savedAt.value = kept.savedAt;
      aheadMs.value = kept.aheadMs;
      keptUser.value = kept.user;
    });
  }

  /** Someone acted on it, or it turned out to be different: the list follows at once, and asks for the rest. */
  function onAlert(alert: AlertView): void {
    changes += 1;
    etag = undefined;
    if (list.peek()) list.value = { ...list.peek()!, alerts: list.peek()!.alerts.flatMap((one) => merge(one, alert)) };
    void refresh();
  }

  async function press(targets: readonly Warning[], action: Item["action"], place: string, note?: string) {
    const who = me.peek();
    if (!who) return;
    const made = targets.map((one): NewItem => {
      const before = deedsOf(one.people, who.name, action).length;
      const what = { alertId: one.id, action, title: one.rule.title, place, ...(note ? { note } : {}) };
      return { ...what, user: who.name, madeAt: Date.now(), before };
    });
    try {
      notKept.value = !queue.peek();
      await queue.peek()?.add(made);
    } catch {
      notKept.value = true;
    }
  }

  /** What was not done is not lost: the words go to the alert as a comment, in the place of the refused press. */
  async function sendNote({ key, refusal: _, tries: __, ...item }: Item): Promise<void> {
    const people = list.peek()?.alerts.find(({ id }) => id === item.alertId)?.people ?? [];
    const before = deedsOf(people, item.user, "comment").length;
    await queue.peek()?.add([{ ...item, action: "comment", madeAt: Date.now(), before }]);
    await queue.peek()?.remove(key);
  }

  /** Whoever asks, wants to see the list as it is: mine first. */
  function renew(): Promise<void> {
    sections.clear();
    return refresh();
  }

  const wake = () => document.visibilityState === "visible" && void refresh();
  const comeBack = () => document.visibilityState === "visible" && void renew();
  const lose = () => {
    reach.value = "lost";
  };
  addEventListener("online", wake);
  addEventListener("offline", lose);
  document.addEventListener("visibilitychange", comeBack);
  const stopHearing = onActed(onAlert);
  void openQueue().then(async (opened) => {
    queue.value = opened;
    await showKept();
    await refresh();
  });

  return {
    ...{ list, reach, savedAt, me, mayAct, now, order, locator, district, districts, cards, queue, waiting },
    ...{ refresh: renew, press, pressed, notKept, sendNote },
    setDistrict(name: string): void {
      sections.clear();
      setQuery({ district: name });
    },
    setOrder(wanted: Order): void {
      sections.clear();
      order.value = wanted;
    },
    close(): void {
      closed = true;
      clearTimeout(timer);
      stopHearing();
      removeEventListener("online", wake);
      removeEventListener("offline", lose);
      document.removeEventListener("visibilitychange", comeBack);
    },
  };
}

export type CrewState = ReturnType<typeof createCrew>;
