import "./feed.css";
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { query } from "../shell/router.ts";
import { Ledger } from "./ledger.tsx";
import { LiveReadings } from "./live.tsx";
import { Quarantine } from "./quarantine.tsx";
import { Runs } from "./runs.tsx";
import { Throughput } from "./throughput.tsx";

const TABS = {
  live: LiveReadings,
  quarantine: Quarantine,
  ledger: Ledger,
  throughput: Throughput,
  runs: Runs,
} as const satisfies Record<string, ComponentType>;
type Tab = keyof typeof TABS;

/** `/feed`: what comes in, and what becomes of it. Which part is open stands in the address. */
export function FeedPage() {
  const t = messages.value.feed;
  const asked = query.value.get("tab");
  const tab: Tab = asked && asked in TABS ? (asked as Tab) : "live";
  const Part = TABS[tab];
  const nav = useRef<HTMLElement>(null);
  // On a phone not all of them fit.
  useEffect(
    () => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    [tab],
  );
  return (
    <div class={`feed feed-${tab}`}>
      <header class="feed-head">
        <h1 tabIndex={-1}>{t.title}</h1>
        <nav ref={nav} aria-label={t.parts}>
          {(Object.keys(TABS) as Tab[]).map((one) => (
            <a
              key={one}
              href={one === "live" ? "/feed" : `/feed?tab=${one}`}
              aria-current={one === tab ? "page" : undefined}
            >
              {t.tabs[one]}
            </a>
          ))}
        </nav>
      </header>
      <Part key={tab} />
    </div>
  );
}
