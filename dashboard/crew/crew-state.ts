import { batch, computed, signal } from "@preact/signals";
import type { AlertView, CrewListView, CrewWarningView, PhotoView } from "../../contract/alert.ts";
import { DAY_MS } from "../../model/time.ts";
import { ApiProblem, ask, request, send } from "../api/client.ts";
import { crewOrder } from "../shell/preferences.ts";
import { query, setQuery } from "../shell/router.ts";
import { loadSession, session, type User, user, wasSignedIn } from "../shell/session.ts";
import { clock } from "../words/time.tsx";
import { aheadOf, applyWaiting, type Card, cardsOf, keepSections, merge, type Order, type Position } from "./list.ts";
import {
  actionsBy,
  createQueue,
  type Item,
  type NewItem,
  openQueueStore,
  PHOTO_BYTES_MAX,
  type Queue,
  type Work,
} from "./queue.ts";

const MAY_ACT: readonly User["role"][] = ["crew", "operator", "admin"];

/** Everything the crews' list shows and remembers while it is open. `close` when it closes. */
export function createCrew() {
  const queue = signal<Queue | undefined>(undefined);
  const { list, reach, savedAt, aheadMs, ...asked } = createList(() => void queue.peek()?.flush());
  const mayAct = computed(() => MAY_ACT.includes(me.value?.role ?? "viewer"));
  /** The service's time: the clock of a phone may be wrong, and days are counted with it. */
  const now = computed(() => clock.value + aheadMs.value);
  const order = signal<Order>(crewOrder.peek());
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
  const warnings = computed(() => (list.value?.alerts ?? []).map((one) => applyWaiting(one, waiting.value)));
  const districts = computed(() =>
    [...new Set(warnings.value.flatMap(({ subject }) => subject.district ?? []))].sort(),
  );
  const cards = computed(() => {
    const alerts = warnings.value.filter(({ subject }) => !district.value || subject.district === district.value);
    const about = {
      me: me.value?.name,
      crews: list.value?.crews,
      now: now.value,
      position: locator.position.value,
      order: order.value,
    };
    return keepSections(cardsOf({ alerts, sensors: list.value?.sensors ?? [] }, about), sections);
  });

  async function add(items: readonly NewItem[]): Promise<void> {
    try {
      const bytes = (some: readonly Partial<Work>[]) =>
        some.flatMap(({ photos = [] }) => photos).reduce((sum, { size }) => sum + size, 0);
      // A phone has room for some days without a connection, not for a film.
      const isFull = bytes(waiting.peek()) + bytes(items) > PHOTO_BYTES_MAX;
      notKept.value = !queue.peek() || isFull;
      if (isFull) return;
      await queue.peek()?.add(items);
    } catch {
      notKept.value = true;
    }
  }

  async function press(targets: readonly CrewWarningView[], action: Item["action"], place: string, work: Work = {}) {
    const user = me.peek()?.name;
    if (user === undefined) return;
    const about = { user, action, place, madeAt: Date.now(), ...work };
    await add(
      targets.map(({ id: alertId, rule: { title }, people }) => {
        return { ...about, alertId, title, before: actionsBy(people, user, action).length };
      }),
    );
  }

  /** What was not done is not lost: the words go to the alert as a comment, in the place of the refused press. */
  async function sendNote({ key, refusal: _, tries: __, ...item }: Item): Promise<void> {
    const people = list.peek()?.alerts.find(({ id }) => id === item.alertId)?.people ?? [];
    const before = actionsBy(people, item.user, "comment").length;
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
    list,
    reach,
    savedAt,
    me,
    mayAct,
    now,
    order,
    locator,
    district,
    districts,
    cards,
    queue,
    waiting,
    notKept,
    pressed,
    refresh,
    press,
    sendNote,
    setDistrict(name: string): void {
      sections.clear();
      setQuery({ district: name });
    },
    setOrder(wanted: Order): void {
      sections.clear();
      order.value = wanted;
      crewOrder.value = wanted;
    },
    close(): void {
      asked.close();
      stopHearing();
      document.removeEventListener("visibilitychange", comeBack);
    },
  };
}

export type CrewState = ReturnType<typeof createCrew>;

const ASK_EVERY_MS = 20_000;
const PATIENCE_MS = 15_000;

/** `lost`: no answer, what is shown is what was kept. `failed`: an answer, but no list. */
export type Reach = "asking" | "here" | "lost" | "failed";

/** The list as the service tells it every 20 s, or as it was kept. `onHere` is called after each answer. */
function createList(onHere: () => void) {
  const list = signal<CrewListView | undefined>(undefined);
  const reach = signal<Reach>("asking");
  /** When the list was true, by this device's clock. */
  const savedAt = signal(0);
  /** How far the service's clock is ahead of this device's. */
  const aheadMs = signal(0);
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
    await askOnce(changesBefore).catch((error: unknown) => {
      reach.value = error instanceof ApiProblem && error.status > 0 ? "failed" : "lost";
    });
    asking = false;
    if (closed) return;
    if (changes !== changesBefore) return void refresh();
    timer = setTimeout(wake, ASK_EVERY_MS);
    if (reach.peek() === "here") onHere();
  }

  async function askOnce(changesBefore: number): Promise<void> {
    if (!session.peek()) await loadSession(AbortSignal.timeout(PATIENCE_MS));
    const who = user.peek();
    // Known here, and not to the service any more: the shell asks to sign in, and says why.
    if (!who) wasSignedIn.value ||= keptUser.peek() !== undefined;
    else await load(who, changesBefore);
  }

  async function load(who: User, changesBefore: number): Promise<void> {
    const known: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    const answer = await ask("GET", "/crew", undefined, AbortSignal.timeout(PATIENCE_MS), known);
    const fresh = answer.status === 304 ? undefined : ((await answer.json()) as CrewListView);
    if (changes !== changesBefore || user.peek()?.name !== who.name) return;
    batch(() => {
      const said = Date.parse(answer.headers.get("date") ?? "");
      if (!Number.isNaN(said)) aheadMs.value = aheadOf(said, Date.now());
      if (fresh) list.value = fresh;
      etag = answer.headers.get("etag") ?? undefined;
      savedAt.value = Date.now();
      reach.value = "here";
    });
    const times = { savedAt: savedAt.peek(), aheadMs: aheadMs.peek() };
    if (list.peek()) await keep({ user: who, list: list.peek()!, ...times, ...(etag === undefined ? {} : { etag }) });
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
  function follow(alert: AlertView): void {
    changes += 1;
    etag = undefined;
    if (list.peek()) list.value = { ...list.peek()!, alerts: list.peek()!.alerts.flatMap((one) => merge(one, alert)) };
    void refresh();
  }

  function wake(): void {
    if (document.visibilityState === "visible") void refresh();
  }

  function lose(): void {
    reach.value = "lost";
  }

  addEventListener("online", wake);
  addEventListener("offline", lose);
  return {
    list,
    reach,
    savedAt,
    aheadMs,
    refresh,
    showKept,
    follow,
    close(): void {
      closed = true;
      clearTimeout(timer);
      removeEventListener("online", wake);
      removeEventListener("offline", lose);
    },
  };
}

/** The last list, for when there is no connection. Nothing that lets anyone in: that is in a cookie no script can read. */
export type Kept = {
  readonly user: User;
  readonly list: CrewListView;
  readonly etag?: string;
  /** By this device's clock (epoch milliseconds), and how far the service's clock is ahead of it. */
  readonly savedAt: number;
  readonly aheadMs: number;
};

/** `shell/session.ts` deletes it by this name when the session ends. */
const KEPT_LIST = "crew-list";
/** As long as a session lasts at most: after that the service would not show it either. */
const AGE_MAX_MS = 7 * DAY_MS;
const ENTRY = "/crew-list";

/** Browsers keep nothing for pages without https (localhost aside); such a page does not open offline either. */
const store = () => globalThis.caches?.open(KEPT_LIST);

async function readKept(): Promise<Kept | undefined> {
  try {
    const found = await (await store())?.match(ENTRY);
    const kept = found && ((await found.json()) as Kept);
    return kept && Math.abs(Date.now() - kept.savedAt) < AGE_MAX_MS ? kept : undefined;
  } catch {
    return undefined;
  }
}

export async function keep(kept: Kept): Promise<void> {
  try {
    await (await store())?.put(ENTRY, Response.json(kept));
  } catch {
    // No room: the list on the screen is as good as before.
  }
}

export type Locating = "off" | "asking" | "on" | "denied" | "failed";
const LOCATE_MS = 15_000;

/** Where this device is: asked for only when someone wishes, kept in memory only, told to nobody. */
function createLocator() {
  const position = signal<Position | undefined>(undefined);
  const state = signal<Locating>("off");

  function locate(): void {
    if (!navigator.geolocation) {
      state.value = "failed";
      return;
    }
    state.value = "asking";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        position.value = { lat: coords.latitude, lon: coords.longitude };
        state.value = "on";
      },
      ({ code, PERMISSION_DENIED }) => {
        state.value = code === PERMISSION_DENIED ? "denied" : "failed";
      },
      { enableHighAccuracy: true, timeout: LOCATE_MS, maximumAge: 60_000 },
    );
  }

  return { position, state, locate };
}

const SEND_MS = 15_000;
const UPLOAD_MS = 60_000;
const LOCK = "crew-queue";

/** For whom the list on this device was kept. */
const keptUser = signal<User | undefined>(undefined);
/** Who is signed in; while the service cannot be asked, who was. */
export const me = computed(() => (session.value ? user.value : keptUser.value));

const listeners = new Set<(alert: AlertView) => void>();
/** Subscription how an alert is after the queue has acted on it; returns how to stop. */
function onActed(listener: (alert: AlertView) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The one queue of this window. Once opened it goes on when the crews' list is left: what waits is sent from any page. */
const openQueue = once(async (): Promise<Queue> => {
  const queue = createQueue(await openQueueStore(), {
    user: () => me.value?.name,
    async confirmUser() {
      await loadSession(AbortSignal.timeout(SEND_MS));
      return user.peek()?.name;
    },
    isOnline: () => navigator.onLine,
    look: (id) => request<AlertView>("GET", pathOf(id), undefined, AbortSignal.timeout(SEND_MS)),
    async upload(id, photo) {
      const type = { "content-type": photo.type };
      const answer = await ask("POST", `${pathOf(id)}/photos`, photo, AbortSignal.timeout(UPLOAD_MS), type);
      return ((await answer.json()) as PhotoView).id;
    },
    act: (id, action, body) => send("POST", `${pathOf(id)}/${action}`, body, AbortSignal.timeout(SEND_MS)),
    onAlert: (alert) => listeners.forEach((listener) => void listener(alert)),
    // Without https (localhost aside) there are no locks; then the service's own answers keep things from being done twice.
    alone: (work) => (navigator.locks ? navigator.locks.request(LOCK, work) : work()),
  });
  await queue.load().catch(() => {});
  addEventListener("online", () => void queue.flush());
  return queue;
});

const pathOf = (id: string): `/alerts/${string}` => `/alerts/${encodeURIComponent(id)}`;

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
