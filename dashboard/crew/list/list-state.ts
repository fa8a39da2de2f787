import { batch, signal } from "@preact/signals";
import type { AlertView } from "../../api/alerts.ts";
import { ApiProblem, ask } from "../../api/client.ts";
import { loadSession, session, type User, user, wasSignedIn } from "../../shell/session.ts";
import { keptUser } from "../open-queue.ts";
import { aheadOf, type CrewList, merge } from "./crew-list.ts";
import { keep, readKept } from "./kept-list.ts";

const ASK_EVERY_MS = 20_000;
const PATIENCE_MS = 15_000;

/** `lost`: no answer, what is shown is what was kept. `failed`: an answer, but no list. */
export type Reach = "asking" | "here" | "lost" | "failed";

/** The list as the service tells it every 20 s, or as it was kept. `onHere` is called after each answer. */
export function createList(onHere: () => void) {
  const list = signal<CrewList | undefined>(undefined);
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
    ...{ list, reach, savedAt, aheadMs, refresh, showKept, follow },
    close(): void {
      closed = true;
      clearTimeout(timer);
      removeEventListener("online", wake);
      removeEventListener("offline", lose);
    },
  };
}
