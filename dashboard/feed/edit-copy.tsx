import { useState } from "preact/hooks";
import type { QuarantineItemView } from "../../contract/ledger.ts";
import { send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { Dismiss } from "./causes.tsx";

type EditProps = { readonly item: QuarantineItemView; readonly onDone: () => void };

/** What can be done about one message: a copy of it edited and sent, or nothing made of it. */
export function EditCopy({ item, onDone }: EditProps) {
  const { editing: t, feed } = messages.value;
  const [doing, setDoing] = useState<"edit" | "dismiss">();
  const { payload, redrivenAt, reason } = item;
  if (redrivenAt !== undefined) return null;
  const text = payload?.text;
  // A copy of what is there in part would be less than what came.
  const canEdit = text !== undefined && payload?.truncated === false && reason !== "not_allowed";
  const close = () => setDoing(undefined);
  if (doing === "dismiss")
    return (
      <Dismiss
        title={t.dismissOne(item.id)}
        asked={{ ids: [item.id] }}
        onDone={() => {
          close();
          onDone();
        }}
        onCancel={close}
      />
    );
  if (doing === "edit")
    return (
      <Form
        class="panel"
        title={t.editCopy}
        submitLabel={t.sendCopy}
        onCancel={close}
        onSubmit={async (data) => {
          await send("POST", `/quarantine/${item.id}/edit`, { payload: String(data.get("payload") ?? "") });
          close();
          onDone();
        }}
      >
        <p class="quiet">{t.editCopyHint}</p>
        <Field label={feed.quarantine.payload} name="payload" lines={8} value={text} class="feed-edit" required />
      </Form>
    );
  return (
    <div class="cluster">
      {canEdit && <Button onClick={() => setDoing("edit")}>{t.editCopy}</Button>}
      {reason === "unknown_sensor" && (
        <a class="button" href="/admin?tab=sensors">
          {t.toSensors}
        </a>
      )}
      {reason === "unmapped" && (
        <a class="button" href="/admin?tab=mappings">
          {t.toMapping}
        </a>
      )}
      <Button class="quiet" onClick={() => setDoing("dismiss")}>
        {t.dismiss}
      </Button>
    </div>
  );
}
