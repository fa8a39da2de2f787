import { viewAlert } from "../contract/alert.ts";
import type { Alert } from "../model/alert.ts";
import { alertTopic } from "../model/topics.ts";

export type AlertMessage = { readonly topic: string; readonly payload: string };

/**
 * An alert as the service publishes it on MQTT: `alerts/<district>/<severity>/<alertId>`, JSON as in the API.
 * undefined for what lists leave out as well: alerts that are pending, or that ended without ever having fired.
 */
export function alertMessage(alert: Alert): AlertMessage | undefined {
  const { district } = alert.subject;
  if (district === undefined || alert.firedAt === undefined) return undefined;
  const { id, severity } = alert;
  return { topic: alertTopic({ district, severity, id }), payload: JSON.stringify(viewAlert(alert)) };
}
