import { ApiProblem } from "../api/client.ts";
import { messages } from "../messages/messages.ts";

/** An error in a sentence for people: the service's own words where it answered. */
export function sayProblem(error: unknown): string {
  if (error instanceof ApiProblem && error.message !== "") return error.message;
  return messages.value.shell.unreachable;
}
