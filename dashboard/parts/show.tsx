import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Severity } from "../../model/alert.ts";
import { messages } from "../messages/messages.ts";

/** One line of a list of facts (`dl`). */
export function Fact({ name, children }: { name: ComponentChildren; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type FigureRow = readonly [name: string, value: ComponentChildren, note?: string | undefined];

/** Figures to be read at a glance, each with its name. */
export function Figures({ label, rows }: { label?: string; rows: readonly FigureRow[] }) {
  return (
    <dl class="figures" aria-label={label}>
      {rows.map(([name, value, note]) => (
        <div key={name} class="box">
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <small class="quiet">{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Shape and colour together, and the word for those who see neither. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <span class="hidden">{messages.value.words.severity[severity]}</span>
    </span>
  );
}

/** Text as it was written: a rule, a message. A wide one scrolls by itself, and by the keyboard. */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
    <section class="code box" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}

type TabLinksProps = {
  readonly label: string;
  readonly tabs: readonly (readonly [href: string, text: string, isOpen: boolean])[];
};

/** The parts of a page, each with an address of its own. */
export function TabLinks({ label, tabs }: TabLinksProps) {
  const nav = useRef<HTMLElement>(null);
  const open = tabs.find(([, , isOpen]) => isOpen)?.[0];
  // On a phone not all of them fit.
  useEffect(
    () => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    [open],
  );
  return (
    <nav ref={nav} class="tab-links" aria-label={label}>
      {tabs.map(([href, text, isOpen]) => (
        <a key={href} href={href} aria-current={isOpen ? "page" : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}

type DialogProps = {
  readonly title: string;
  readonly class?: string;
  readonly onClose: () => void;
  /** `close` closes it. */
  readonly children: (close: () => void) => ComponentChildren;
};

/** A box over the page, until it is closed or left by Escape. */
export function Dialog({ title, class: more = "", onClose, children }: DialogProps) {
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class={`panel ${more}`} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children(() => box.current?.close())}
    </dialog>
  );
}

/**
 * A drawing by a library that comes as a chunk of its own, inside an element of this component: put `box` on it. `load` fetches the chunk
 * and answers how to open the drawing in the element; it is called once. `widget` is there when it is open; `failed` when the chunk did not come.
 */
export function useWidget<W extends { close(): void }>(load: () => Promise<(element: HTMLDivElement) => W>) {
  const box = useRef<HTMLDivElement>(null);
  const [widget, setWidget] = useState<W | undefined>();
  const [failed, setFailed] = useState(false);

  // A layout effect, because it is torn down in the same step that takes the element away. A passive one is torn down a frame
  // later, and a chunk that comes within that frame would be opened in an element which is no longer there.
  useLayoutEffect(() => {
    let left = false;
    let opened: W | undefined;
    load().then(
      (open) => {
        // The reference is taken back as soon as the element goes, which may be before this is torn down.
        if (left || !box.current?.isConnected) return;
        opened = open(box.current);
        setWidget(opened);
      },
      () => left || setFailed(true),
    );
    return () => {
      left = true;
      opened?.close();
    };
  }, []);

  return { box, widget, failed };
}
