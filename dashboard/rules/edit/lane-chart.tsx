import { useState } from "preact/hooks";
import { sensors } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { formatTime } from "../../words/time.tsx";
import { districtName } from "../../words/units.ts";
import { type Bar, DIFFERENCES, type Lane } from "./lanes.ts";

const SHOWN = 12;
const WIDTH = 1_000;

type LaneChartProps = {
  readonly lanes: readonly Lane[];
  readonly span: { readonly from: number; readonly to: number };
  /** Without it there is nothing to compare with: a new rule. */
  readonly hasBefore: boolean;
};

/** Two lanes for each subject, before above after. The table below says the same. */
export function LaneChart({ lanes, span, hasBefore }: LaneChartProps) {
  const t = messages.value.ruleEditor;
  const [all, setAll] = useState(false);
  const shown = all ? lanes : lanes.slice(0, SHOWN);
  const used = DIFFERENCES.filter((is) =>
    lanes.some((lane) => [...lane.before, ...lane.after].some((bar) => bar.is === is)),
  );
  return (
    <figure class="lanes">
      <div role="img" aria-label={t.chartLabel(lanes.length)}>
        {shown.map((lane) => (
          <div key={nameOf(lane.subject)} class="lane">
            <span class="lane-name">{nameOf(lane.subject)}</span>
            <svg viewBox={`0 0 ${WIDTH} ${hasBefore ? 26 : 14}`} preserveAspectRatio="none" aria-hidden="true">
              {hasBefore && <Bars bars={lane.before} span={span} top={2} />}
              <Bars bars={lane.after} span={span} top={hasBefore ? 14 : 2} />
            </svg>
          </div>
        ))}
        <Axis span={span} />
      </div>
      <figcaption>
        {hasBefore && <span class="quiet">{t.lanesHint}</span>}
        {used.map((is) => (
          <span key={is} class="lane-key">
            <svg viewBox="0 0 16 10" aria-hidden="true">
              <rect class={`bar ${is}`} x="1" y="1" width="14" height="8" />
            </svg>
            {t.differences[is]}
          </span>
        ))}
        {lanes.length > shown.length && (
          <button type="button" class="button" onClick={() => setAll(true)}>
            {t.showAll(lanes.length)}
          </button>
        )}
      </figcaption>
    </figure>
  );
}

function Bars({ bars, span, top }: { bars: readonly Bar[]; span: LaneChartProps["span"]; top: number }) {
  const scale = WIDTH / (span.to - span.from);
  return (
    <>
      <line class="lane-line" x1="0" x2={WIDTH} y1={top + 5} y2={top + 5} />
      {bars.map((bar) => (
        <rect
          key={bar.from}
          class={`bar ${bar.is}`}
          x={(bar.from - span.from) * scale}
          y={top}
          width={Math.max(3, (bar.to - bar.from) * scale)}
          height={10}
        />
      ))}
    </>
  );
}

const TICKS = 4;

function Axis({ span }: { span: LaneChartProps["span"] }) {
  const times = Array.from({ length: TICKS + 1 }, (_, i) => span.from + ((span.to - span.from) * i) / TICKS);
  // Days apart: with their day, each of them.
  return (
    <div class="lane lane-axis" aria-hidden="true">
      <span />
      <p>
        {times.map((at) => (
          <span key={at}>{formatTime(at, 0)}</span>
        ))}
      </p>
    </div>
  );
}

/** A sensor by its name, or the place that a quorum is about. */
export function nameOf({ sensorId, district, gateway, tag }: Lane["subject"]): string {
  if (sensorId !== undefined) return sensors.value.get(sensorId)?.name ?? sensorId;
  if (gateway !== undefined) return gateway;
  return tag ? `${tag.name} ${tag.value}` : districtName(district ?? "");
}
