// The question mark of a chart: what it shows, why that matters, and what to check first.

import { useId, useRef, useState } from "preact/hooks";
import { namesIn } from "../lib/promql";
import { visible } from "../lib/text";
import { catalogue, type CatalogueEntry, type ChartSpec } from "../state/api";
import { Icon } from "../ui/icons";

export function Explain({ spec }: { spec: ChartSpec }) {
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const [entries, setEntries] = useState<readonly CatalogueEntry[]>([]);
  const load = () => {
    const names = spec.queries.flatMap((query) => namesIn(query.expr));
    catalogue().then(
      (all) => setEntries(find(all, names)),
      () => setEntries([]),
    );
  };
  return (
    <>
      <button type="button" class="icon-button" popoverTarget={id} aria-label={`Explain ${spec.title}`} onClick={load}>
        <Icon name="help" />
      </button>
      <div id={id} ref={panel} popover="auto" class="panel explain" role="dialog" aria-label={`About ${spec.title}`}>
        <h3>{spec.title}</h3>
        <p>{spec.help}</p>
        {entries.map((entry) => (
          <section key={entry.name}>
            <h4>{entry.name}</h4>
            <p>{entry.help}</p>
            {entry.why && <p>{entry.why}</p>}
            {entry.check.length > 0 && (
              <>
                <p class="lead">What to check first</p>
                <ol>{entry.check.map((line) => <li key={line}>{line}</li>)}</ol>
              </>
            )}
          </section>
        ))}
        <details>
          <summary>Queries</summary>
          {spec.queries.map((query) => <pre key={query.expr}>{visible(query.expr)}</pre>)}
        </details>
        <button type="button" class="button" onClick={() => panel.current?.hidePopover()}>Close</button>
      </div>
    </>
  );
}

/** The declarations of these names: the metric itself, or the family (`node_netstat_<…>`) that covers it. */
function find(all: readonly CatalogueEntry[], names: readonly string[]): CatalogueEntry[] {
  const found = new Map<string, CatalogueEntry>();
  for (const name of names) {
    const entry = all.find((candidate) => candidate.name === name) ?? all.find((candidate) => covers(candidate.name, name));
    if (entry) found.set(entry.name, entry);
  }
  return [...found.values()];
}

function covers(family: string, name: string): boolean {
  if (!family.includes("<")) return false;
  const pattern = family.split(/<[^>]*>/).map((part) => part.replace(/[^\w]/g, "")).join("\\w+");
  return new RegExp(`^${pattern}$`).test(name);
}
