import type { PageOf } from "../../contract/common.ts";
import type {
  MappingChangeView,
  MappingCheckView,
  MappingTrialView,
  MappingView,
  SeenMessageView,
  SuggestionView,
} from "../../contract/mapping.ts";
import type { Reason } from "../../contract/rule.ts";
import { ask, request, send } from "../api/client.ts";

/** The page checks one text, so no file is named. */
export type Mistake = Omit<MappingCheckView["mistakes"][number], "file">;

export const MAPPINGS_HREF = "/admin?tab=mappings";
export const mappingHref = (id: string): `/mappings/${string}` => `/mappings/${encodeURIComponent(id)}`;

/** Where a sender is mapped: in the mapping its message came to, or in a new one. */
export const senderHref = (device: string, mapping: string | undefined): string =>
  `${mapping === undefined ? "/new-mapping" : mappingHref(mapping)}?device=${encodeURIComponent(device)}`;

export const loadMapping = (id: string, signal?: AbortSignal): Promise<MappingView> =>
  request("GET", mappingHref(id), undefined, signal);

export const loadSuggestion = (device: string, mapping: string | undefined, signal: AbortSignal) =>
  request<SuggestionView>(
    "GET",
    `/unmapped/suggestion?${new URLSearchParams({ device, ...(mapping !== undefined && { mapping }) })}`,
    undefined,
    signal,
  );

export const loadMessages = async (id: string, signal: AbortSignal) =>
  (await request<PageOf<SeenMessageView>>("GET", `${mappingHref(id)}/messages`, undefined, signal)).items;

export const loadVersions = async (id: string, signal: AbortSignal) =>
  (await request<PageOf<MappingChangeView>>("GET", `${mappingHref(id)}/versions?limit=50`, undefined, signal)).items;

/** A message as it is looked at: its payload as text, or base64 where it is none. */
export type Shown = {
  readonly topic: string;
  readonly payload: string;
  readonly isText: boolean;
  readonly receivedAt?: string;
};

/** What a text makes of a message; without one only its mistakes. */
export function tryYaml(yaml: string, message: Shown | undefined, signal: AbortSignal): Promise<Tried> {
  if (!message) return send("POST", "/mappings/check", { yaml }, signal);
  const { topic, payload, isText, receivedAt } = message;
  const said = {
    ...(topic !== "" && { topic }),
    ...(isText ? { payload } : { base64: payload }),
    ...(receivedAt !== undefined && { receivedAt }),
  };
  return send("POST", "/mappings/try", { yaml, ...said }, signal);
}

export type Tried = { readonly mistakes: readonly Mistake[] } & Partial<MappingTrialView>;

/** `over`: the version it is laid over, or undefined where there may be no such mapping yet. Throws `ApiProblem`; 409 says who was first. */
export async function saveMapping(id: string, yaml: string, reason: string, over: number | undefined) {
  const condition: Record<string, string> = over === undefined ? { "if-none-match": "*" } : { "if-match": `"${over}"` };
  const answer = await ask("PUT", mappingHref(id), { yaml, reason }, undefined, condition);
  return (await answer.json()) as MappingView;
}

export const removeMapping = (id: string, body: Reason): Promise<void> => request("DELETE", mappingHref(id), body);

export const redriveMapping = (mapping: string) => send("POST", "/quarantine/redrive", { mapping });
