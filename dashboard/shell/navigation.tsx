import { useEffect, useRef, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { whenDismissed } from "./dismiss.ts";
import { PAGES, pageAt } from "./pages.ts";
import { path } from "./router.ts";
import { user } from "./session.ts";

/** The pages one may open: in a row where there is room, behind a button that says where one is where there is none. */
export function Navigation() {
  const t = messages.value;
  const who = user.value;
  const here = path.value;
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => setOpen(false), [here]);
  useEffect(() => {
    if (!open) return;
    return whenDismissed(
      () => box.current,
      (byKey) => {
        setOpen(false);
        if (byKey) button.current?.focus();
      },
    );
  }, [open]);

  const links = PAGES.filter(
    (page) => page.inNavigation && who && page.roles !== "anyone" && page.roles.includes(who.role),
  );
  if (links.length === 0) return null;
  const title = pageAt(here)?.page.title;
  return (
    <div class="navigation" ref={box}>
      <button
        type="button"
        class="button quiet menu-button"
        ref={button}
        aria-expanded={open}
        aria-controls="main-navigation"
        aria-label={title ? `${t.shell.menu}: ${t.pages[title]}` : t.shell.menu}
        onClick={() => setOpen(!open)}
      >
        <span class="menu-lines" />
        <span class="menu-here">{title ? t.pages[title] : t.shell.menu}</span>
      </button>
      <nav id="main-navigation" class={open ? "open" : ""} aria-label={t.shell.navigation}>
        {links.map((page) => (
          <a key={page.path} href={page.path} aria-current={here === page.path ? "page" : undefined}>
            {t.pages[page.title]}
          </a>
        ))}
      </nav>
    </div>
  );
}
