import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";

type AskProps = {
  /** Names what goes. */
  readonly question: string;
  readonly hint: string;
  readonly action: string;
  readonly onYes: () => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
};

/** Before something goes for good: asks once. The safe answer has the focus. */
export function AskOnce({ question, hint, action, onYes, onClose, children }: AskProps) {
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  const { busy, problem, attempt } = useAttempt();
  useEffect(() => box.current?.showModal(), []);
  const close = () => box.current?.close();

  async function doIt(): Promise<void> {
    if (!(await attempt(onYes))) return;
    close();
    // The button that asked is gone with its row.
    document.querySelector<HTMLElement>("main h1")?.focus();
  }

  return (
    <dialog ref={box} class="panel admin-ask" aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{question}</h2>
      <p>{hint}</p>
      {children}
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="button" onClick={close}>
          {messages.value.alert.cancel}
        </button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void doIt()}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
