import { useEffect } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { ConnectionBanner, ServiceBanner } from "./connection.tsx";
import { Header } from "./header.tsx";
import { LoadedPage } from "./loaded-page.tsx";
import { Message } from "./message.tsx";
import { NewCritical, pageTitle } from "./notify.tsx";
import { pageAt } from "./pages.ts";
import { path } from "./router.ts";
import { loadSession, session, user } from "./session.ts";
import { SignIn } from "./sign-in.tsx";

/** The frame around every page: skip link, header, connection, content. */
export function App() {
  const t = messages.value;
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

  if (session.value === undefined && !found?.page.opensOffline) {
    return (
      <Message
        {...{ title: t.shell.unreachable, action: t.shell.retry, link: { href: "/crew", text: t.crew.title } }}
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
