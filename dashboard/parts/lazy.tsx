import type { ComponentChildren, ComponentType } from "preact";
import { useState } from "preact/hooks";
import { loadMessages } from "../messages/messages.ts";
import { Button } from "./fields.tsx";
import { Problem } from "./state.tsx";

type Opened = ComponentType<{ readonly onClose: () => void }>;

type Props = {
  readonly class?: string;
  /** Fetched with its words when it is opened: nobody loads what they do not use. */
  readonly load: () => Promise<Opened>;
  readonly children: ComponentChildren;
};

/** A button that opens a dialog of a chunk of its own. */
export function LazyDialogButton({ load, children, class: look = "quiet" }: Props) {
  const [found, setFound] = useState<{ readonly Opened: Opened } | undefined>();
  const [problem, setProblem] = useState<unknown>();

  async function open(): Promise<void> {
    setProblem(undefined);
    try {
      const [Opened] = await Promise.all([load(), loadMessages()]);
      setFound({ Opened });
    } catch (error) {
      setProblem(error);
    }
  }

  return (
    <>
      <Button class={look} aria-haspopup="dialog" onClick={() => void open()}>
        {children}
      </Button>
      <Problem of={problem} />
      {found && <found.Opened onClose={() => setFound(undefined)} />}
    </>
  );
}
