import { useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { query } from "../../shell/router.ts";
import { AskOnce } from "../parts/ask-once.tsx";
import { AdminSection } from "../parts/section.tsx";
import { useAll } from "../parts/use-all.ts";
import { SilenceCard } from "./silence-card.tsx";
import type { SilenceView } from "./silence-data.ts";
import { SilenceForm } from "./silence-form.tsx";

/** Silences and maintenance windows: those that are on or planned, or those that have ended (`&ended=true`). */
export function Silences() {
  const { admin: t } = messages.value;
  const ended = query.value.get("ended") === "true";
  const { items, problem, reload } = useAll<SilenceView>(`/silences?ended=${ended}`);
  const [adding, setAdding] = useState(false);
  const [going, setGoing] = useState<SilenceView>();

  async function add(body: Readonly<Record<string, unknown>>): Promise<void> {
    await request("POST", "/silences", body);
    setAdding(false);
    reload();
  }

  return (
    <AdminSection
      {...{ title: t.tabs.silences, hint: t.silencesHint, problem, loading: !items }}
      add={adding ? undefined : t.addSilence}
      onAdd={() => setAdding(true)}
    >
      {adding && <SilenceForm onAdd={add} onCancel={() => setAdding(false)} />}
      <p>
        <a href={`/admin?tab=silences${ended ? "" : "&ended=true"}`}>{ended ? t.showCurrent : t.showEnded}</a>
      </p>
      {items?.length === 0 && <p class="note">{ended ? t.noEnded : t.noSilences}</p>}
      <ul class="admin-cards">
        {items?.map((silence) => (
          <SilenceCard key={silence.id} silence={silence} onEnd={() => setGoing(silence)} />
        ))}
      </ul>
      {going && (
        <AskOnce
          {...{ question: t.endSilence(going.reason), hint: t.endSilenceHint, action: t.endIt }}
          onYes={async () => {
            await request("DELETE", `/silences/${going.id}`);
            reload();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </AdminSection>
  );
}
