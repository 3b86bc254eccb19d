// Round trips as smoke: half of the answers lie in the dark band, nine of ten in the middle one, all in the light one.
// Loss hangs from above, so that the figure and what is missing from it are seen together.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { shareText } from "../lib/share";
import { clockText } from "../lib/time";
import { type Scale, scaleFor, show } from "../lib/units";
import type { ChartSpec } from "../state/api";
import { paint } from "../state/preferences";
import { viewport } from "../state/range";
import type { Columns } from "./columns";
import { useFrames, useVisible, useWidth } from "./drawing-hooks";
import { Explain } from "./explain";
import { useFeed } from "./feed";
import { ChartNote } from "./note";
import { makeSmoke, type Smoke, smokeOf, type SmokePlot } from "./smoke-plot";
import { useSoftHold } from "./soft-hold";

const HEIGHT = 260;
const BAND = "squirrel_probe_round_trip_seconds{$scope,percentile";

/** Over long times the extremes stay the extremes, and the worst minute's loss stays the worst. */
const SPEC: ChartSpec = {
  page: "probe",
  id: "probe-smoke",
  title: "Round trip and loss",
  unit: "seconds",
  help:
    "Half of each minute's answers lie in the dark band, nine of ten in the middle one and all in the light one; the line " +
    "is the median. A wide band is jitter. Bars from above are loss: their length is the share of lost questions in the " +
    "worst minute. Where one point stands for many minutes, the light band still reaches the slowest answer of all.",
  queries: [
    { legend: "{{percentile}}", expr: `avg_over_time(${BAND}=~"5|25|50|75|95"}[$window])`, mirrored: false },
    { legend: "{{percentile}}", expr: `min_over_time(${BAND}="0"}[$window])`, mirrored: false },
    { legend: "{{percentile}}", expr: `max_over_time(${BAND}="100"}[$window])`, mirrored: false },
    { legend: "loss", expr: "max_over_time(squirrel_probe_loss_ratio{$scope}[$window])", mirrored: false },
  ],
};

export function SmokeCard({ scope, leastWindow }: { scope: string; leastWindow: number }) {
  const frame = useRef<HTMLElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const [seen, near] = useVisible(frame);
  const subject = useMemo(() => ({ scope, leastWindow }), [scope, leastWindow]);
  const feed = useFeed(SPEC.queries, seen, subject);
  const width = useWidth(place);
  const softHold = useSoftHold();
  const cursorRow = useSignal<number | null>(null);
  const scale = useSignal<Scale>({ factor: 1, suffix: "" });
  const plot = useRef<SmokePlot | null>(null);
  const made = useRef("");

  const draw = useMemo(
    () => () => {
      const target = place.current;
      if (!target || width === 0) return;
      const smoke = smokeOf(feed.columns);
      const shape = JSON.stringify([paint.value, width]);
      if (shape !== made.current || !plot.current) {
        plot.current?.destroy();
        plot.current = makeSmoke(target, smoke, { width, height: HEIGHT, onCursor: (row) => (cursorRow.value = row), onScale: (next) => (scale.value = next) });
        made.current = shape;
      }
      const { from, to } = viewport.value;
      plot.current.put(smoke, from, to);
      target.dataset["from"] = String(from);
      target.dataset["to"] = String(to);
    },
    [feed, width],
  );
  useFrames(() => {
    void [feed.version.value, viewport.value, paint.value];
    return near;
  }, draw, [feed, near, draw]);
  useEffect(() => () => plot.current?.destroy(), []);
  useLayoutEffect(() => {
    if (scale.value.suffix === "") scale.value = scaleFor("seconds", 0, "bits");
  }, []);

  void feed.version.value;
  const smoke = smokeOf(feed.columns);
  const failed = feed.state.value.kind === "failed";
  return (
    <section class="card chart" ref={frame} aria-labelledby="chart-probe-smoke" data-chart="probe-smoke">
      <header>
        <h3 id="chart-probe-smoke">{SPEC.title}</h3>
        <span class="chart-unit" aria-hidden="true">{scale.value.suffix}</span>
        <Explain spec={SPEC} />
      </header>
      <div class={failed ? "drawing smoke stale" : "drawing smoke"} ref={place} role="img" aria-label={sentence(smoke)} {...softHold} />
      <ChartNote feed={feed} />
      <Key smoke={smoke} columns={feed.columns} row={cursorRow.value} />
    </section>
  );
}

/** What the colours mean, with the figures of now or under the crosshair. */
function Key({ smoke, columns, row }: { smoke: Smoke; columns: Columns; row: number | null }) {
  const at = row ?? smoke.lastRow;
  const value = (percentile: number) => show(smoke.at(percentile, at), "seconds", "bits");
  const loss = at === null ? null : smoke.loss[at];
  const time = row === null ? undefined : columns.times[row];
  return (
    <ul class="smoke-legend">
      <li>{time === undefined ? "Last minute" : clockText(time)}</li>
      <li><span class="key median" />median <b>{value(50)}</b></li>
      <li><span class="key band-inner" />half <b>{value(25)} – {value(75)}</b></li>
      <li><span class="key band-middle" />nine of ten <b>{value(5)} – {value(95)}</b></li>
      <li><span class="key band-outer" />all <b>{value(0)} – {value(100)}</b></li>
      <li><span class="key loss-little" /><span class="key loss-much" />loss <b>{shareText(loss)}</b></li>
    </ul>
  );
}

function sentence(smoke: Smoke): string {
  const last = smoke.lastRow;
  if (last === null) return `${SPEC.title}: no data.`;
  const now = `median ${show(smoke.at(50, last), "seconds", "bits")}, 95 of 100 within ${show(smoke.at(95, last), "seconds", "bits")}, loss ${shareText(smoke.loss[last])}`;
  let worst = -1;
  smoke.loss.forEach((loss, i) => {
    if (loss != null && loss > 0 && (worst < 0 || loss > (smoke.loss[worst] ?? 0))) worst = i;
  });
  const loss = worst < 0 ? "no loss in this time" : `most loss ${shareText(smoke.loss[worst])} at ${clockText(smoke.data[0][worst] ?? 0)}`;
  return `${SPEC.title}. Now ${now}; ${loss}.`;
}
