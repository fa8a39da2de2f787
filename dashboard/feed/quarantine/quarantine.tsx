import { useEffect, useMemo, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { mayManage } from "../../shell/session.ts";
import { sayProblem } from "../../words/problems.ts";
import { OneMessage } from "./one-message.tsx";
import { QuarantineFilters } from "./quarantine-filters.tsx";
import { followQuarantine } from "./quarantine-state.ts";
import { QuarantineTable } from "./quarantine-table.tsx";
import { RedriveBar } from "./redrive-bar.tsx";

/** What could not become readings, and another chance for it. */
export function Quarantine() {
  const t = messages.value.feed.quarantine;
  if (!mayManage.value) return <p class="note">{t.notYours}</p>;
  return <OpenQuarantine />;
}

function OpenQuarantine() {
  const t = messages.value.feed.quarantine;
  const followed = useMemo(followQuarantine, []);
  useEffect(() => followed.close, [followed]);
  const [chosen, setChosen] = useState<number | undefined>();
  const items = followed.items.value;
  const { reason, sensor, state } = followed.filter.value;
  return (
    <>
      <p class="quiet">{t.intro}</p>
      <QuarantineFilters filter={followed.filter.value} />
      <RedriveBar followed={followed} />
      {followed.problem.value !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(followed.problem.value)}
        </p>
      )}
      {items?.length === 0 && <p class="note">{reason || sensor || state ? t.emptyFiltered : t.empty}</p>}
      {items !== undefined && items.length > 0 && (
        <div class="feed-split">
          <QuarantineTable followed={followed} items={items} chosen={chosen} choose={setChosen} />
          <OneMessage id={chosen} close={() => setChosen(undefined)} />
        </div>
      )}
    </>
  );
}
