import { ConnectionMark } from "./connection.tsx";
import { Navigation } from "./navigation.tsx";
import { user } from "./session.ts";
import { Settings } from "./settings.tsx";

export function Header() {
  return (
    <header class="header">
      <a class="brand" href="/">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <span>Lamppost</span>
      </a>
      <Navigation />
      <div class="header-end">
        {user.value && <ConnectionMark />}
        <Settings />
      </div>
    </header>
  );
}
