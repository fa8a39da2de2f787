import { computed, signal } from "@preact/signals";
import type { SessionView, SignIn } from "../../contract/account.ts";
import type { Role } from "../../model/people.ts";
import { request, send } from "../api/client.ts";

export type User = NonNullable<SessionView["user"]>;

/** Undefined until the service has said who this is. */
export const session = signal<SessionView | undefined>(undefined);
export const user = computed(() => session.value?.user);
/** Set when a session ended under someone's hands: the sign-in form says so. */
export const wasSignedIn = signal(false);

const HANDLERS: readonly Role[] = ["crew", "operator", "admin"];
/** Whether this person may change rules, see the quarantine, record … */
export const mayManage = computed(() => user.value?.role === "operator" || user.value?.role === "admin");
/** Whether this person may acknowledge, comment, close … */
export const mayHandle = computed(() => HANDLERS.includes(user.value?.role ?? "viewer"));

/** `asked`: an answer that is on its way already; if it fails, the question is put again. */
export async function loadSession(signal?: AbortSignal, asked?: Promise<Response>): Promise<void> {
  const early = await asked?.catch(() => undefined);
  const found = early?.ok
    ? ((await early.json()) as SessionView)
    : await request<SessionView>("GET", "/session", undefined, signal);
  if (found.user) session.value = found;
  else {
    session.value = { ...session.peek(), ...found };
    forgetUser(true);
  }
}

/** What `crew/` keeps of a session for when there is no connection goes with the session. */
const forgetKept = () => void globalThis.caches?.delete("crew-list").catch(() => {});

/** Throws `ApiProblem`. */
export async function signIn(secret: SignIn): Promise<void> {
  await send("POST", "/session", secret);
  wasSignedIn.value = false;
  await loadSession();
}

export async function signOut(): Promise<void> {
  await request("DELETE", "/session");
  forgetUser(false);
}

/** The service does not know us any more (401), or we left. */
export function forgetUser(unasked: boolean): void {
  const { user: former, ...rest } = session.value ?? { publicPage: false, version: "", timeZone: "" };
  // Several requests may hear of it at once.
  wasSignedIn.value = unasked && (former !== undefined || wasSignedIn.peek());
  forgetKept();
  session.value = rest;
}
