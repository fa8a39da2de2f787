import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { Message } from "./message.tsx";
import type { Page, PageProps } from "./pages.ts";

/** False only for the page that was opened first: there the browser has put the focus where it belongs. */
let moved = false;

/** A page's chunk, fetched when it is opened. The focus goes to its heading, so that a screen reader says where one is. */
export function LoadedPage({ page, params }: { page: Page; params: PageProps["params"] }) {
  const t = messages.value.shell;
  const [Loaded, setLoaded] = useState<ComponentType<PageProps> | undefined>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    let left = false;
    if (failed || Loaded) return;
    page.load().then(
      (loaded) => left || setLoaded(() => loaded),
      () => left || setFailed(true),
    );
    return () => {
      left = true;
    };
  }, [page, failed, Loaded]);

  useEffect(() => {
    if (!Loaded) return;
    if (moved) document.querySelector<HTMLElement>("main h1")?.focus();
    moved = true;
  }, [Loaded]);

  if (failed) return <Message title={t.failed} action={t.retry} onAction={() => setFailed(false)} />;
  return Loaded ? <Loaded params={params} /> : <p class="quiet loading">{t.loading}</p>;
}
