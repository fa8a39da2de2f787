import { useState } from "preact/hooks";
import type { RotatedView } from "../../contract/account.ts";
import { send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Dialog } from "../parts/show.tsx";
import { Problem } from "../parts/state.tsx";
import { clock, formatTime } from "../words/time.tsx";
import { OneTimeSecret } from "./parts.tsx";

type RotateProps = {
  readonly what: "devices" | "gateways";
  readonly name: string;
  readonly onClose: () => void;
  /** It has another password now. */
  readonly onDone: () => void;
};

/** A day is chosen at first: time to go there. 0: at once. */
const HOURS = [24, 24 * 7, 24 * 31, 1, 0] as const;

/** Another password for a device, which is shown once: asks how long the one before is still taken. */
export function Rotate({ what, name, onClose, onDone }: RotateProps) {
  const { editing: t, admin } = messages.value;
  const { busy, problem, attempt } = useAttempt();
  const [hours, setHours] = useState<number>(HOURS[0]);
  const [made, setMade] = useState<RotatedView>();

  async function rotate(): Promise<void> {
    setMade(await send("POST", `/${what}/${encodeURIComponent(name)}/rotate`, { overlapHours: hours }));
    onDone();
  }

  return (
    <Dialog title={t.rotateTitle(name)} onClose={onClose}>
      {(close) =>
        made ? (
          <OneTimeSecret
            title={t.rotated(name)}
            hint={
              made.formerUntil === undefined
                ? t.rotatedAtOnce
                : t.rotatedHint(formatTime(Date.parse(made.formerUntil), clock.value))
            }
            secrets={[
              [admin.username, made.username],
              [admin.password, made.password],
            ]}
            onDone={close}
          />
        ) : (
          <>
            <p>{t.rotateHint}</p>
            <Field
              label={t.overlap}
              name="overlapHours"
              value={String(hours)}
              options={HOURS.map((one) => [String(one), t.overlapOf(one)] as const)}
              onChoose={(chosen) => setHours(Number(chosen))}
            />
            <Problem of={problem} />
            <div class="cluster">
              <Button class="primary" disabled={busy} onClick={() => void attempt(rotate)}>
                {t.rotate}
              </Button>
              <Button class="quiet" onClick={close}>
                {messages.value.alert.cancel}
              </Button>
            </div>
          </>
        )
      }
    </Dialog>
  );
}
