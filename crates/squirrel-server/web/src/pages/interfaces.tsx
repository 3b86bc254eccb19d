// "Is a link saturated or sick?" — all interfaces in one list.

import { Fragment } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { useRecentFeed } from "../chart/feed";
import { InterfaceRows } from "./interface-rows";
import { compare, type SortKey, type SortOrder } from "./interface-sort";
import { matches } from "./interface-filter";
import { interfaces, type Interface, RECEIVE, TRANSMIT } from "../state/interfaces";
import { shown } from "../state/stream";
import { Icon } from "../ui/icons";

const QUERIES = [
  { legend: "{{device}} receive", expr: RECEIVE, mirrored: false },
  { legend: "{{device}} transmit", expr: TRANSMIT, mirrored: false },
];
const SPAN = 300;

const COLUMNS: readonly { key: SortKey | null; title: string; class?: string }[] = [
  { key: "name", title: "Interface" },
  { key: "state", title: "State" },
  { key: "speed", title: "Speed", class: "value" },
  { key: null, title: "Addresses" },
  { key: "receive", title: "Receive", class: "value" },
  { key: "transmit", title: "Transmit", class: "value" },
  { key: "utilisation", title: "Used" },
  { key: "errors", title: "Errors, drops in 5 min", class: "value" },
];

export function InterfacesPage() {
  const feed = useRecentFeed(QUERIES, SPAN, 5, 10_000);
  void feed.version.value;
  const [order, setOrder] = useState<SortOrder>({ key: "name", descending: false });
  const [filter, setFilter] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const all = interfaces.value;
  const sorted = useFrozenWhileHovered(all.filter((one) => matches(one, filter)), order, list);
  const groups = [
    { title: "Physical", rows: sorted.filter((one) => one.physical) },
    { title: "Virtual", rows: sorted.filter((one) => !one.physical) },
  ].filter((group) => group.rows.length > 0);

  const sortBy = (key: SortKey) =>
    setOrder((now) => (now.key === key ? { key, descending: !now.descending } : { key, descending: key !== "name" && key !== "state" }));

  return (
    <>
      <header class="page-head">
        <h1>Interfaces</h1>
        <p class="dim">{sorted.length === all.length ? `${all.length}` : `${sorted.length} of ${all.length}`}</p>
        <label class="filter">
          <span class="sr-only">Filter by name, alias, address or state</span>
          <Icon name="search" />
          <input type="search" data-filter placeholder="Filter: name, alias, address, state" value={filter} maxLength={200}
            onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
        <label class="sort-choice">
          <span>Sort</span>
          <select value={order.key} onChange={(event) => sortBy(event.currentTarget.value as SortKey)}>
            {COLUMNS.map((column) => column.key && <option key={column.key} value={column.key}>{column.title}</option>)}
          </select>
        </label>
      </header>
      <div class="card table-card" ref={list}>
        {groups.length === 0 ? <Nothing all={all} onClear={() => setFilter("")} /> : (
          <table class="interfaces">
            <thead>
              <tr>
                {COLUMNS.map(({ key, title, ...rest }) => (
                  <th key={title} scope="col" {...rest} aria-sort={key !== order.key ? undefined : order.descending ? "descending" : "ascending"}>
                    {key === null ? title : <button type="button" onClick={() => sortBy(key)}>{title}</button>}
                  </th>
                ))}
              </tr>
            </thead>
            {groups.map((group) => (
              <Fragment key={group.title}>
                <tbody class="group">
                  <tr><th scope="rowgroup" colSpan={COLUMNS.length}>{group.title} <span class="dim">{group.rows.length}</span></th></tr>
                </tbody>
                <InterfaceRows rows={group.rows} feed={feed} span={SPAN} />
              </Fragment>
            ))}
          </table>
        )}
      </div>
    </>
  );
}

function Nothing({ all, onClear }: { all: readonly Interface[]; onClear: () => void }) {
  if (shown.value === null) return <p class="empty">Waiting for the first second of figures…</p>;
  if (all.length === 0) return <p class="empty">No interface was reported: see whether the interfaces collector runs.</p>;
  return <p class="empty">Nothing matches. <button type="button" class="button" onClick={onClear}>Clear the filter</button></p>;
}

/** Sorts; while the pointer is in the list, rows keep their places and only their figures change. */
function useFrozenWhileHovered(rows: readonly Interface[], order: SortOrder, list: { current: HTMLElement | null }): readonly Interface[] {
  const last = useRef<{ order: SortOrder; places: Map<string, number> }>({ order, places: new Map() });
  return useMemo(() => {
    const frozen = last.current.order === order && list.current?.matches(":hover");
    const place = (one: Interface): number => last.current.places.get(one.device) ?? Infinity;
    const sorted = [...rows].sort((a, b) => (frozen && place(a) !== place(b) ? place(a) - place(b) : compare(a, b, order)));
    last.current = { order, places: new Map(sorted.map((one, i) => [one.device, i])) };
    return sorted;
  }, [rows, order]);
}
