import type { AlertView } from "../../model/alert-view.ts";
import { request } from "./client.ts";

export type { AlertView } from "../../model/alert-view.ts";

export const acknowledgeAlert = (id: string) =>
  request<AlertView>("POST", `/alerts/${encodeURIComponent(id)}/acknowledge`, {});

/** The alerts someone should look at: they fire, and nobody has closed them. */
export const OPEN_ALERTS = "/alerts?state=firing&handling=open,acknowledged,in-progress";

export function isOpen(alert: AlertView): boolean {
  return alert.state === "firing" && alert.handling !== "closed" && alert.mode !== "shadow";
}
