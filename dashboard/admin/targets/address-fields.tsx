import { messages } from "../../messages/messages.ts";
import { TextField } from "../parts/fields.tsx";
import { wrongAt } from "../parts/wrong-at.ts";
import { hasUrl, type TargetType, type TargetView } from "./target-data.ts";

type AddressProps = {
  readonly type: TargetType;
  readonly former: TargetView | undefined;
  readonly problem: unknown;
};

/** Where messages go: what this way needs and nothing else. The service does not show a chat's address again. */
export function AddressFields({ type, former, problem }: AddressProps) {
  const { admin: t } = messages.value;
  const same = former?.type === type ? former : undefined;
  if (!hasUrl(type)) {
    const way = type === "email" ? "email" : "mqtt";
    return (
      <TextField
        {...{ label: t.to[way], name: "to", hint: t.toHint[way], required: true }}
        value={same?.to ?? (way === "mqtt" ? "alerts/to/" : undefined)}
        wrong={wrongAt(problem, "to")}
      />
    );
  }
  return (
    <>
      <TextField
        {...{ label: t.url, name: "url", type: "url", required: !same, wrong: wrongAt(problem, "url") }}
        hint={same?.url ? t.urlKept(same.url) : t.urlHint}
      />
      {type === "webhook" && (
        <TextField
          {...{ label: t.secret, name: "secret", wrong: wrongAt(problem, "secret") }}
          hint={same ? t.secretKept : t.secretHint}
        />
      )}
    </>
  );
}
