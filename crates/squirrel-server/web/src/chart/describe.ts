// A chart in one sentence, for those who do not see the canvas.

import { clockText } from "../lib/time";
import { show, type Throughput } from "../lib/units";
import type { ChartSpec } from "../state/api";
import type { Columns } from "./columns";

const NAMED = 4;

export function describe(spec: ChartSpec, columns: Columns, throughput: Throughput): string {
  if (columns.series.length === 0) return `${spec.title}: no data.`;
  const parts = columns.series.slice(0, NAMED).map((series) => {
    let peak = -Infinity;
    let peakAt = 0;
    series.values.forEach((value, i) => {
      if (value !== null && value > peak) {
        peak = value;
        peakAt = columns.times[i] ?? 0;
      }
    });
    const now = show(series.now, spec.unit, throughput);
    return peak === -Infinity
      ? `${series.label}: no value`
      : `${series.label}: ${now} now, peak ${show(peak, spec.unit, throughput)} at ${clockText(peakAt)}`;
  });
  const more = columns.series.length - NAMED;
  return `${spec.title}. ${parts.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`;
}
