import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ReadyView } from "../../contract/status.ts";
import { connection, lostSince } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Loading, Message, Problem } from "../parts/state.tsx";
import { clock, formatTime } from "../words/time.tsx";
import { zone } from "../words/zone.ts";
import { NewCritical, pageTitle } from "./notify.tsx";
import { loadPage, PAGES, type Page, pageAt } from "./pages.ts";
import { LANGUAGES, language, THEMES, theme } from "./preferences.ts";
import type { PageProps } from "./router.ts";
import { navigate, path } from "./router.ts";
import { loadSession, session, signOut, user } from "./session.ts";
import { SignIn } from "./sign-in.tsx";

/** The frame around every page: skip link, header, connection, content. */
export function App() {
  const t = messages.value;
  if (pageAt(path.value)?.page.bare) return <Content />;
  return (
    <>
      <a class="skip" href="#content">
        {t.shell.skip}
      </a>
      <Header />
      <ConnectionBanner />
      <ServiceBanner />
      <NewCritical />
      <main id="content" tabIndex={-1}>
        <Content />
      </main>
    </>
  );
}

function Content() {
  const t = messages.value;
  const found = pageAt(path.value);
  const who = user.value;
  const title = found ? t.pages[found.page.title] : t.shell.notFound;
  useEffect(() => {
    pageTitle.value = title;
  }, [title]);
  // Who works outside begins with what there is to do; the desk is a link away.
  useEffect(() => {
    if (who?.role === "crew" && path.peek() === "/") navigate("/crew", { replace: true });
  }, [who?.name]);

  if (session.value === undefined && !found?.page.opensOffline && !found?.page.bare) {
    return (
      <Message
        title={t.shell.unreachable}
        action={t.shell.retry}
        link={{ href: "/crew", text: t.crew.title }}
        onAction={() => void loadSession().catch(() => {})}
      />
    );
  }
  if (session.value && found?.page.roles !== "anyone" && !who) return <SignIn />;
  if (!found || (who && found.page.roles !== "anyone" && !found.page.roles.includes(who.role))) {
    return <Message title={t.shell.notFound} text={t.shell.notFoundHint} link={{ href: "/", text: t.shell.toDesk }} />;
  }
  return <LoadedPage key={found.page.path} page={found.page} params={found.params} />;
}

function Header() {
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

/** The pages one may open: in a row where there is room, behind a button that says where one is where there is none. */
function Navigation() {
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
      <nav id="main-navigation" class={`tab-links ${open ? "open" : ""}`} aria-label={t.shell.navigation}>
        {links.map((page) => (
          <a key={page.path} href={page.path} aria-current={here === page.path ? "page" : undefined}>
            {t.pages[page.title]}
          </a>
        ))}
      </nav>
    </div>
  );
}

/** Who is signed in, how the page looks, which language. A `<details>`: open and close work without script. */
function Settings() {
  const t = messages.value;
  const who = user.value;
  const box = useRef<HTMLDetailsElement>(null);
  const { problem, attempt } = useAttempt();

  // Closes whenever one goes elsewhere or leaves, hence the path and the name.
  useEffect(() => {
    const close = (byKey: boolean) => {
      if (!box.current?.open) return;
      box.current.open = false;
      if (byKey) box.current.querySelector("summary")?.focus();
    };
    close(false);
    return whenDismissed(() => box.current, close);
  }, [path.value, who?.name]);

  return (
    <details class="settings" ref={box}>
      <summary class="button quiet">
        <span class="cut">{who ? who.name : t.shell.settings}</span>
      </summary>
      <div class="panel">
        {who && <p class="quiet">{t.account.who(who.name, t.words.role[who.role])}</p>}
        <Field
          label={t.shell.theme}
          name="theme"
          value={theme.value}
          options={THEMES.map((one) => [one, t.shell.themes[one]] as const)}
          onChoose={(chosen) => (theme.value = oneOf(THEMES, chosen))}
        />
        <Field
          label={t.shell.language}
          name="language"
          value={language.value}
          options={LANGUAGES.map((one) => [one, t.shell.languages[one], one] as const)}
          onChoose={(chosen) => (language.value = oneOf(LANGUAGES, chosen))}
        />
        <p class="quiet">{t.shell.zone(zone.value)}</p>
        {who && (
          <div class="panel-end cluster spread">
            <a href="/account">{t.shell.account}</a>
            <Button onClick={() => void attempt(signOut)}>{t.shell.signOut}</Button>
          </div>
        )}
        <Problem of={problem} />
      </div>
    </details>
  );
}

function oneOf<T extends string>(among: readonly T[], wanted: string): T {
  return among.find((one) => one === wanted) ?? among[0]!;
}

/** The small mark in the header: is what I see now? */
function ConnectionMark() {
  const t = messages.value.shell;
  const state = connection.value;
  if (pageAt(path.value)?.page.opensOffline) return null;
  return (
    <span class={`connection health ${state}`} role="status">
      {state === "live" ? t.live : state === "lost" ? t.lost : t.connecting}
    </span>
  );
}

/** A line across the page while nothing comes: nobody should mistake an old picture for a quiet city. */
function ConnectionBanner() {
  if (connection.value !== "lost" || !user.value || pageAt(path.value)?.page.opensOffline) return null;
  const since = formatTime(lostSince.value ?? clock.value, clock.value);
  return (
    <p class="banner" role="alert">
      {messages.value.shell.lostSince(since)}
    </p>
  );
}

const STATE_EVERY_MS = 10_000;
/** The parts that make what one sees later or other than it seems. */
const TOLD = { rules: "rulesBehind", clock: "clockBack", muted: "muted" } as const;
const troubled = signal<readonly (keyof typeof TOLD)[]>([]);

/** What `/readyz` says of them. Not to be reached is said by `ConnectionBanner`. */
async function askState(): Promise<void> {
  if (document.hidden || !user.value) return;
  try {
    const { parts } = (await (await fetch("/readyz")).json()) as ReadyView;
    const isIn = (name: string): name is keyof typeof TOLD => Object.hasOwn(TOLD, name);
    troubled.value = parts.flatMap(({ part, state }) => (state !== "ok" && isIn(part) ? [part] : []));
  } catch {
    troubled.value = [];
  }
}

/** A line across the page while alerts come late, or times are not what they seem. */
function ServiceBanner() {
  const who = user.value?.name;
  useEffect(() => {
    if (who === undefined) return;
    void askState();
    const timer = setInterval(() => void askState(), STATE_EVERY_MS);
    return () => clearInterval(timer);
  }, [who]);
  if (troubled.value.length === 0 || !user.value || pageAt(path.value)?.page.opensOffline) return null;
  return (
    <p class="banner" role="status">
      {troubled.value.map((part) => messages.value.shell[TOLD[part]]).join(" ")}
    </p>
  );
}

/** False only for the page that was opened first: there the browser has put the focus where it belongs. */
let moved = false;

/** A page's chunk, fetched when it is opened. The focus goes to its heading, so that a screen reader says where one is. */
function LoadedPage({ page, params }: { page: Page; params: PageProps["params"] }) {
  const t = messages.value.shell;
  const [Loaded, setLoaded] = useState<ComponentType<PageProps> | undefined>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    let left = false;
    if (failed || Loaded) return;
    loadPage(page).then(
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
  return Loaded ? <Loaded params={params} /> : <Loading />;
}

/** Calls `close` when someone presses outside of the box, or Escape (`byKey`: then the focus should go back). */
function whenDismissed(box: () => Element | null, close: (byKey: boolean) => void): () => void {
  const onPointer = (event: Event) => {
    if (!box()?.contains(event.target as Node)) close(false);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") close(true);
  };
  document.addEventListener("pointerdown", onPointer);
  document.addEventListener("keydown", onKey);
  return () => {
    document.removeEventListener("pointerdown", onPointer);
    document.removeEventListener("keydown", onKey);
  };
}
