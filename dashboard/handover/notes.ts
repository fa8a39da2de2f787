import { computed, effect, signal } from "@preact/signals";
import type { PageOf } from "../../contract/common.ts";
import type { HandoverView } from "../../contract/handover.ts";
import { request } from "../api/client.ts";
import { handoverNews } from "../live/live.ts";
import { user } from "../shell/session.ts";

const SHOWN = 50;
/** Older ones were for somebody else. */
const UNREAD_MS = 7 * 86_400_000;

/** The newest first; undefined until they are there. */
export const notes = signal<readonly HandoverView[] | undefined>(undefined);

export const isUnread = ({ by, at, seen }: HandoverView): boolean => {
  const me = user.value?.name;
  return by !== me && !seen.some((one) => one.by === me) && Date.now() - Date.parse(at) < UNREAD_MS;
};
export const unread = computed(() => (notes.value ?? []).filter(isUnread).length);

export async function loadNotes(signal?: AbortSignal): Promise<void> {
  notes.value = (await request<PageOf<HandoverView>>("GET", `/handover?limit=${SHOWN}`, undefined, signal)).items;
}

/** A note that was written or read, here or elsewhere. */
export function putNote(note: HandoverView): void {
  const others = (notes.peek() ?? []).filter(({ id }) => id !== note.id);
  notes.value = [...others, note].sort((a, b) => b.id - a.id).slice(0, SHOWN);
}

effect(() => {
  const news = handoverNews.value;
  if (news && notes.peek()) putNote(news);
});
