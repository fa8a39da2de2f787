import "./handover.css";
import { useEffect } from "preact/hooks";
import type { HandoverView } from "../../contract/handover.ts";
import { send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Dialog } from "../parts/show.tsx";
import { Loading, Problem } from "../parts/state.tsx";
import { mayHandle } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { isUnread, loadNotes, notes, putNote } from "./notes.ts";

/** What one shift tells the next: no alert, but worth knowing. */
export function Handover({ onClose }: { onClose: () => void }) {
  const { handover: t, shell } = messages.value;
  const { problem, attempt } = useAttempt();
  useEffect(() => void attempt(() => loadNotes()), []);

  async function add(data: FormData, form: HTMLFormElement): Promise<void> {
    putNote(await send("POST", "/handover", { text: typed(data, "text") ?? "" }));
    form.reset();
  }

  return (
    <Dialog title={t.title} class="handover" onClose={onClose}>
      {(close) => (
        <>
          <Problem of={problem} />
          {!notes.value && problem === undefined && <Loading />}
          {notes.value?.length === 0 && <p class="quiet">{t.none}</p>}
          <ul class="handover-notes">
            {(notes.value ?? []).map((note) => (
              <Note key={note.id} note={note}>
                {mayHandle.value && isUnread(note) && (
                  <Button
                    onClick={() =>
                      void attempt(async () => putNote(await send("POST", `/handover/${note.id}/seen`, {})))
                    }
                  >
                    {t.seen}
                  </Button>
                )}
              </Note>
            ))}
          </ul>
          {mayHandle.value && (
            <Form label={t.add} submitLabel={t.submit} onSubmit={add}>
              <Field label={t.add} name="text" lines={3} maxLength={2_000} hint={t.hint} required />
            </Form>
          )}
          <div class="cluster">
            <Button onClick={close}>{shell.close}</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

type NoteProps = { readonly note: HandoverView; readonly children?: preact.ComponentChildren };

/** One note as it was written, and who has read it. */
export function Note({ note, children }: NoteProps) {
  const t = messages.value.handover;
  return (
    <li class="handover-note">
      <p class="quiet">
        <strong>{note.by}</strong> · <Moment at={note.at} as="time" />
      </p>
      <p class="handover-text">{note.text}</p>
      {note.seen.length > 0 && <p class="quiet">{t.seenBy(note.seen.map(({ by }) => by).join(", "))}</p>}
      {children}
    </li>
  );
}
