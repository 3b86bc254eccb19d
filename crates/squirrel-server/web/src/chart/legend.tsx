// The chart as a table: each series with its value now (or under the crosshair), mean and peak.

import type { Signal } from "@preact/signals";
import { show } from "../lib/units";
import { clockText } from "../lib/time";
import type { ChartSpec } from "../state/api";
import { throughput } from "../state/preferences";
import { viewport } from "../state/range";
import type { Columns, Series } from "./columns";
import type { Feed } from "./feed";
import { seriesStyles } from "./plot";
import { Swatch } from "../ui/swatch";

interface Props {
  spec: ChartSpec;
  feed: Feed;
  cursorRow: Signal<number | null>;
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
}

export function Legend({ spec, feed, cursorRow, hidden, onHidden }: Props) {
  void feed.version.value;
  const columns = feed.columns;
  if (columns.series.length === 0) return null;
  const row = cursorRow.value;
  const at = row === null ? undefined : columns.times[row];
  const styles = seriesStyles(columns);

  /** A click shows one series alone, or all again; with Ctrl it switches just that one. */
  const choose = (series: Series, event: MouseEvent) => {
    const next = new Set(hidden);
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      if (!next.delete(series.key)) next.add(series.key);
    } else {
      const alone = columns.series.every((other) => (other === series) !== hidden.has(other.key));
      next.clear();
      if (!alone) for (const other of columns.series) if (other !== series) next.add(other.key);
    }
    onHidden(next);
  };

  return (
    <div class="legend">
      <table>
        <thead>
          <tr>
            <th scope="col"><span class="sr-only">Series</span></th>
            <th scope="col" class="value">{at === undefined ? "Now" : clockText(at)}</th>
            <th scope="col" class="value">Mean</th>
            <th scope="col" class="value">Peak</th>
          </tr>
        </thead>
        <tbody>
          {columns.series.map((series) => {
            const { mean, peak } = summary(columns, series);
            const style = styles.get(series.key);
            return (
              <tr key={series.key} class={hidden.has(series.key) ? "off" : undefined}>
                <th scope="row">
                  <button
                    type="button"
                    aria-pressed={!hidden.has(series.key)}
                    title="Click: show alone. Ctrl-click: show or hide."
                    onClick={(event) => choose(series, event)}
                  >
                    <Swatch variable={style?.variable ?? "--series-0"} dashed={(style?.dash.length ?? 0) > 0} below={series.mirrored} />
                    <bdi>{series.label}</bdi>
                  </button>
                </th>
                <td class="value strong">{show(row === null ? series.now : series.values[row], spec.unit, throughput.value)}</td>
                <td class="value">{show(mean, spec.unit, throughput.value)}</td>
                <td class="value">{show(peak, spec.unit, throughput.value)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {columns.omitted > 0 && <p class="note">{columns.omitted} more series are not drawn.</p>}
    </div>
  );
}

/** Mean and peak of what the chart shows. */
function summary(columns: Columns, series: Series): { mean: number | null; peak: number | null } {
  const { from, to } = viewport.value;
  let sum = 0;
  let count = 0;
  let peak: number | null = null;
  for (let i = 0; i < columns.times.length; i++) {
    const value = series.values[i];
    const time = columns.times[i] ?? 0;
    if (value === null || value === undefined || time < from || time > to) continue;
    sum += value;
    count++;
    if (peak === null || value > peak) peak = value;
  }
  return { mean: count === 0 ? null : sum / count, peak };
}
