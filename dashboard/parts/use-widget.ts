import { useLayoutEffect, useRef, useState } from "preact/hooks";

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
    const element = box.current!;
    let left = false;
    let opened: W | undefined;
    load().then(
      (open) => {
        if (left) return;
        opened = open(element);
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
