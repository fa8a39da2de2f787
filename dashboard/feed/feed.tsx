import "./feed.css";
import type { ComponentType } from "preact";
import { messages } from "../messages/messages.ts";
import { TabLinks } from "../parts/show.tsx";
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
  return (
    <div class={`feed page feed-${tab}`}>
      <header class="feed-head cluster">
        <h1 tabIndex={-1}>{t.title}</h1>
        <TabLinks
          label={t.parts}
          tabs={(Object.keys(TABS) as Tab[]).map(
            (one) => [one === "live" ? "/feed" : `/feed?tab=${one}`, t.tabs[one], one === tab] as const,
          )}
        />
      </header>
      <Part key={tab} />
    </div>
  );
}
