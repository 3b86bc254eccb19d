// Tables of one application: its message types, MCP methods and tools, and errors.

import type { ComponentChildren } from "preact";
import type { Labels } from "../lib/promql";
import { visible } from "../lib/text";
import { show, type Unit } from "../lib/units";
import { type Breakdown, type BreakdownRow, rowsOf } from "../state/applications";
import { throughput } from "../state/preferences";
import { useLiveQueries } from "../state/stream";

export interface FigureColumn {
  key: string;
  title: string;
  unit: Unit;
}

export const PERCENTILES: readonly FigureColumn[] = [
  { key: "p50", title: "Median", unit: "seconds" },
  { key: "p95", title: "95 %", unit: "seconds" },
  { key: "p99", title: "99 %", unit: "seconds" },
];

export const FAILURES: readonly FigureColumn[] = [
  { key: "failures", title: "Failures", unit: "per_second" },
  { key: "failed", title: "Failed", unit: "ratio" },
];

/** More figures than these have no room in half of a page. */
const FIGURES_NARROW = 5;

/** Rows that are drawn; an application is told to keep its names few, and may not. */
const ROWS_MAX = 100;

interface Props {
  id: string;
  title: string;
  note: string;
  breakdown: Breakdown;
  columns: readonly FigureColumn[];
  first: string;
  name: (row: BreakdownRow) => ComponentChildren;
}

/** Nothing where the application tells nothing of the kind. */
export function BreakdownTable({ id, title, note, breakdown, columns, first, name }: Props) {
  useLiveQueries([...Object.values(breakdown.queries), ...(breakdown.failures ? [breakdown.failures.query] : [])]);
  const rows = rowsOf(breakdown);
  if (rows.length === 0) return null;
  // What the application tells under other names, such as the latencies of MCP, needs no column of dashes.
  const told = columns.filter(({ key }) => rows.some((row) => row.figures[key] !== undefined));
  return (
    <section class={told.length > FIGURES_NARROW ? "card breakdown wide" : "card breakdown"} aria-labelledby={`${id}-title`} data-breakdown={id}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <p class="note">{note}</p>
      </header>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby={`${id}-title`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{first}</th>
              {told.map(({ key, title }) => <th key={key} scope="col" class="value">{title}</th>)}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS_MAX).map((row) => (
              <tr key={row.key}>
                <th scope="row">{name(row)}</th>
                {told.map(({ key, unit }) => <td key={key} class="value">{show(row.figures[key], unit, throughput.value)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > ROWS_MAX && <p class="note">{rows.length - ROWS_MAX} more are not shown.</p>}
    </section>
  );
}

/** A name of the application's own, or that there is none. */
export const Told = ({ text, without }: { text: string | undefined; without: string }) =>
  text ? <bdi>{visible(text)}</bdi> : <span class="dim">{without}</span>;

/** Who is to be asked about a failure, by the library's class of it. */
const CLASSES: Readonly<Record<string, string>> = {
  tool: "tool",
  protocol: "protocol",
  unanswered: "no answer",
  conformance: "bad message",
  application: "told by the application",
};

/** Whose failure it is, and how it failed. */
export function FailureName({ labels }: { labels: Labels }) {
  const { message_type, mcp_method_name, gen_ai_tool_name, failure_class = "", error_type = "", role } = labels;
  const kind = Object.hasOwn(CLASSES, failure_class) ? CLASSES[failure_class] : visible(failure_class);
  // A request without an answer, or one of which no more is known, says nothing by its kind.
  const more = error_type === "" || error_type === failure_class || error_type === "_OTHER" ? "" : `: ${visible(error_type)}`;
  return (
    <>
      <Told text={mcp_method_name || message_type} without="no type" />
      {gen_ai_tool_name && <span class="tool"> <bdi>{visible(gen_ai_tool_name)}</bdi></span>}
      {role === "client" && <span class="dim"> as a client</span>}
      <span class="dim">, <bdi>{kind}{more}</bdi></span>
    </>
  );
}
