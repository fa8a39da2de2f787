import { messages } from "../messages/messages.ts";
import { ConnectionMark } from "./connection.tsx";
import { PAGES } from "./pages.ts";
import { path } from "./router.ts";
import { user } from "./session.ts";
import { Settings } from "./settings.tsx";

export function Header() {
  const t = messages.value;
  const who = user.value;
  const links = PAGES.filter(
    (page) => page.inNavigation && who && page.roles !== "anyone" && page.roles.includes(who.role),
  );
  return (
    <header class="header">
      <a class="brand" href="/">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <span>Lamppost</span>
      </a>
      {links.length > 0 && (
        <nav aria-label={t.shell.navigation}>
          {links.map((page) => (
            <a key={page.path} href={page.path} aria-current={path.value === page.path ? "page" : undefined}>
              {t.pages[page.title]}
            </a>
          ))}
        </nav>
      )}
      <div class="header-end">
        {who && <ConnectionMark />}
        <Settings />
      </div>
    </header>
  );
}
