import { useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { AskOnce } from "../parts/ask-once.tsx";
import { AdminSection } from "../parts/section.tsx";
import { ShownOnce } from "../parts/shown-once.tsx";
import { useAll } from "../parts/use-all.ts";
import { TargetCard } from "./target-card.tsx";
import type { TargetView } from "./target-data.ts";
import { TargetForm } from "./target-form.tsx";

type Added = TargetView & { readonly secret?: string };
const pathOf = ({ id }: TargetView) => `/targets/${encodeURIComponent(id)}`;

/** Whom alerts are told to, and how it goes. */
export function Targets() {
  const { admin: t } = messages.value;
  const { items, problem, reload } = useAll<TargetView>("/targets");
  const [open, setOpen] = useState<TargetView | "new">();
  const [added, setAdded] = useState<Added>();
  const [going, setGoing] = useState<TargetView>();
  const former = open === "new" ? undefined : open;

  async function save(body: Readonly<Record<string, unknown>>): Promise<void> {
    if (former) await request("PUT", pathOf(former), body);
    else setAdded(await request<Added>("POST", "/targets", body));
    setOpen(undefined);
    reload();
  }

  return (
    <AdminSection
      {...{ title: t.tabs.targets, hint: t.targetsHint, problem, loading: !items }}
      add={open ? undefined : t.addTarget}
      onAdd={() => {
        setAdded(undefined);
        setOpen("new");
      }}
    >
      {open && (
        <TargetForm
          key={former?.id ?? ""}
          {...{ former, others: (items ?? []).filter(({ id }) => id !== former?.id), onSave: save }}
          onCancel={() => setOpen(undefined)}
        />
      )}
      {added?.secret && (
        <ShownOnce
          {...{ title: t.webhookSecretTitle(added.name), hint: t.webhookSecretHint }}
          secret={{ label: t.secret, value: added.secret }}
          onDone={() => setAdded(undefined)}
        />
      )}
      {items?.length === 0 && <p class="note">{t.noTargets}</p>}
      <ul class="admin-cards">
        {items?.map((target) => (
          <TargetCard
            key={target.id}
            {...{ target, others: items, onEdit: () => setOpen(target), onRemove: () => setGoing(target) }}
            onTested={reload}
          />
        ))}
      </ul>
      {going && (
        <AskOnce
          {...{ question: t.removeTarget(going.name), hint: t.removeTargetHint, action: t.remove }}
          onYes={async () => {
            await request("DELETE", pathOf(going));
            reload();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </AdminSection>
  );
}
