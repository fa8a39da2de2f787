import { useState } from "preact/hooks";
import type { PageOf } from "../../contract/common.ts";
import type { QuarantineItemView } from "../../contract/ledger.ts";
import type { ReadingView } from "../../contract/reading.ts";
import type { MetricName } from "../../model/metrics.ts";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { Fact } from "../parts/show.tsx";
import { useLoaded } from "../parts/state.tsx";
import { formatValue } from "../words/words.ts";

type DecideProps = {
  readonly item: QuarantineItemView;
  readonly onDecided: () => void;
};

/** Two values of one moment that disagree: what is stored, what was offered, and which of them is right. */
export function Decide({ item, onDecided }: DecideProps) {
  const t = messages.value.feed.quarantine.decide;
  const [decision, setDecision] = useState<"keep" | "take">();
  // Only of a value by itself it is known where to look; of a whole reading the sentence above says both.
  const { metric } = item;
  return (
    <section class="stack conflict">
      <h3>{t.title}</h3>
      {metric !== undefined && <Both item={item} metric={metric} />}
      <div class="cluster">
        {(["keep", "take"] as const).map((one) => (
          <Button key={one} aria-pressed={decision === one} onClick={() => setDecision(one)}>
            {t[one]}
          </Button>
        ))}
      </div>
      {decision !== undefined && (
        <Form
          key={decision}
          label={t[decision]}
          submitLabel={t[decision]}
          onCancel={() => setDecision(undefined)}
          onSubmit={async (data) => {
            await send("POST", `/quarantine/${item.id}/decide`, { decision, reason: typed(data, "reason") ?? "" });
            onDecided();
          }}
        >
          {decision === "take" && <p class="quiet">{t.takeHint}</p>}
          <Field label={t.reason} name="reason" required maxLength={500} />
        </Form>
      )}
    </section>
  );
}

function Both({ item, metric }: { item: QuarantineItemView; metric: MetricName }) {
  const t = messages.value.feed.quarantine.decide;
  const { found: stored } = useLoaded((signal) => storedValue(item, metric, signal), [item.id]);
  const offered = Number(item.payload?.text ?? Number.NaN);
  return (
    <dl class="facts">
      <Fact name={t.stored}>
        <strong>{stored && (stored.value === undefined ? t.none : formatValue(stored.value, metric))}</strong>
      </Fact>
      <Fact name={t.offered}>
        <strong>{Number.isFinite(offered) ? formatValue(offered, metric) : item.payload?.text}</strong>
      </Fact>
    </dl>
  );
}

async function storedValue({ sensorId, measuredAt }: QuarantineItemView, metric: MetricName, signal: AbortSignal) {
  if (sensorId === undefined || measuredAt === undefined) return { value: undefined };
  const at = Date.parse(measuredAt);
  const path = `/sensors/${encodeURIComponent(sensorId)}/readings?from=${at}&to=${at + 1}&metrics=${metric}`;
  const { items } = await request<PageOf<ReadingView>>("GET", path, undefined, signal);
  return { value: items[0]?.values[metric] };
}
