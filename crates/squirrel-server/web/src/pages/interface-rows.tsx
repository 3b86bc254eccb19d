// The rows of the list. Only those near the screen are drawn: a container host has thousands.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Feed } from "../chart/feed";
import type { Columns, Series } from "../chart/columns";
import { visible } from "../lib/text";
import { digits, show, speedText } from "../lib/units";
import { throughput } from "../state/preferences";
import { liveEdge } from "../state/range";
import { interfacePath } from "../state/route";
import type { Interface } from "../state/interfaces";
import { Link } from "../ui/link";
import { Sparkline } from "../ui/sparkline";
import { StateBadge } from "../ui/state-badge";
import { Utilisation } from "../ui/utilisation";

/** Below this all rows are drawn; above, those within the window and some more. */
const WINDOWED_FROM = 80;
const SPARE = 12;

export function InterfaceRows({ rows, feed, span }: { rows: readonly Interface[]; feed: Feed; span: number }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { first, last, rowHeight } = useWindow(body, rows.length);
  const history = historyOf(feed.columns);
  const before = first * rowHeight;
  const after = (rows.length - last) * rowHeight;
  return (
    <tbody ref={body} class="rows">
      {before > 0 && <tr class="spacer" style={{ height: `${before}px` }} aria-hidden="true" />}
      {rows.slice(first, last).map((one) => (
        <Row key={one.device} one={one} times={feed.columns.times} receive={history.get(`0 ${one.device}`)} transmit={history.get(`1 ${one.device}`)} span={span} />
      ))}
      {after > 0 && <tr class="spacer" style={{ height: `${after}px` }} aria-hidden="true" />}
    </tbody>
  );
}

interface RowProps {
  one: Interface;
  times: readonly number[];
  receive: Series | undefined;
  transmit: Series | undefined;
  span: number;
}

function Row({ one, times, receive, transmit, span }: RowProps) {
  const to = liveEdge.value;
  const rate = (value: number | null, series: Series | undefined, colour: string) => (
    <span class="rate">
      <Sparkline times={times} values={series?.values ?? []} variable={colour} from={to - span} to={to} />
      <span class="number">{show(value, "bits_per_second", throughput.value)}</span>
    </span>
  );
  const trouble = (one.errors ?? 0) + (one.drops ?? 0) >= 0.5;
  const [address, ...more] = one.addresses;
  return (
    <tr data-device={one.device}>
      <th scope="row">
        <Link to={interfacePath(one.device)}><bdi>{visible(one.device)}</bdi></Link>
        {one.alias && <span class="alias" title={visible(one.alias)}><bdi>{visible(one.alias)}</bdi></span>}
      </th>
      <td class="cell-state"><StateBadge of={one} /></td>
      <td class="value cell-speed">{one.speed === null ? <span class="dim">–</span> : speedText(one.speed)}</td>
      <td class="cell-addresses" title={one.addresses.map(visible).join("\n")}>
        {address === undefined ? <span class="dim">–</span> : <><bdi>{visible(address)}</bdi>{more.length > 0 && <span class="dim"> +{more.length}</span>}</>}
      </td>
      <td class="value cell-receive" data-label="↓">{rate(one.receive, receive, "--series-0")}</td>
      <td class="value cell-transmit" data-label="↑">{rate(one.transmit, transmit, "--series-1")}</td>
      <td class="cell-used"><Utilisation share={one.utilisation} /></td>
      <td class={trouble ? "value cell-errors trouble" : "value cell-errors"}>
        {count(one.errors)}<span class="dim">, </span>{count(one.drops)}
      </td>
    </tr>
  );
}

/** `increase` extrapolates, so a count may come out as 2.99. */
const count = (value: number | null): string => (value === null ? "–" : digits(Math.round(value), true));

function historyOf(columns: Columns): Map<string, Series> {
  return new Map(columns.series.map((series) => [`${series.query} ${series.labels["device"] ?? ""}`, series]));
}

/** Which rows are near the screen. */
function useWindow(body: { current: HTMLElement | null }, count: number) {
  const [place, setPlace] = useState({ first: 0, last: WINDOWED_FROM, rowHeight: 44 });
  const windowed = count > WINDOWED_FROM;
  useEffect(() => {
    if (!windowed) return;
    const look = () => {
      const row = body.current?.querySelector<HTMLElement>("tr:not(.spacer)");
      const box = body.current?.getBoundingClientRect();
      if (!box || !row || row.offsetHeight === 0) return;
      const rowHeight = row.offsetHeight;
      const first = Math.max(0, Math.floor(-box.top / rowHeight) - SPARE);
      const last = Math.min(count, first + Math.ceil(innerHeight / rowHeight) + 2 * SPARE);
      setPlace((now) => (now.first === first && now.last === last && now.rowHeight === rowHeight ? now : { first, last, rowHeight }));
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [windowed, count]);
  return windowed ? { ...place, last: Math.min(place.last, count) } : { first: 0, last: count, rowHeight: place.rowHeight };
}
