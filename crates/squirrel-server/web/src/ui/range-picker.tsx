// The time range of the page: presets, a typed span, or two moments.

import { useId, useRef, useState } from "preact/hooks";
import { localInput, momentText, parseSpan, spanText, timeZone } from "../lib/time";
import { serverNow } from "../state/api";
import { PRESETS, range, showBetween, showLast, viewport, zoomOut } from "../state/range";
import { Icon } from "./icons";

export function rangeText(): string {
  const current = range.value;
  if (current.live) return `Last ${spanText(current.span)}`;
  const now = serverNow();
  return `${momentText(current.from, now)} – ${momentText(current.to, now)}`;
}

export function RangePicker() {
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const current = range.value;
  const choose = (span: number) => {
    showLast(span);
    panel.current?.hidePopover();
  };
  return (
    <div class="range">
      <div class="presets wide-only" role="group" aria-label="Time range">
        {PRESETS.map((span) => (
          <button key={span} type="button" aria-pressed={current.live && current.span === span} onClick={() => showLast(span)}>
            {spanText(span)}
          </button>
        ))}
      </div>
      <button type="button" class="button range-button" popoverTarget={id} data-range-button title="Time range (t)">
        <Icon name="clock" />
        <span>{rangeText()}</span>
      </button>
      {!current.live && (
        <button type="button" class="icon-button" onClick={zoomOut} title="Zoom out (z)" aria-label="Zoom out">
          <Icon name="zoomOut" />
        </button>
      )}
      <div id={id} ref={panel} popover="auto" class="panel range-panel" role="dialog" aria-label="Time range">
        <h3>Last</h3>
        <div class="preset-grid">
          {PRESETS.map((span) => (
            <button key={span} type="button" class="button" aria-pressed={current.live && current.span === span} onClick={() => choose(span)}>
              {spanText(span)}
            </button>
          ))}
        </div>
        <TypedSpan onChosen={choose} />
        <Moments onChosen={() => panel.current?.hidePopover()} />
        <p class="note">Times are of this browser: {timeZone()}.</p>
      </div>
    </div>
  );
}

function TypedSpan({ onChosen }: { onChosen: (span: number) => void }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const id = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    const span = parseSpan(text);
    setWrong(span === null || span < 5);
    if (span !== null && span >= 5) onChosen(span);
  };
  return (
    <form class="row" onSubmit={submit}>
      <label for={id}>or</label>
      <input id={id} type="text" inputMode="text" autocomplete="off" placeholder="45m, 3h, 2d" value={text} aria-invalid={wrong}
        onInput={(event) => setText(event.currentTarget.value)} />
      <button type="submit" class="button">Show</button>
      {wrong && <p class="wrong" role="alert">Write a span such as 45m, 3h or 2d; the shortest is 5s.</p>}
    </form>
  );
}

function Moments({ onChosen }: { onChosen: () => void }) {
  const { from, to } = viewport.peek();
  const [wrong, setWrong] = useState(false);
  const start = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLInputElement>(null);
  const [fromId, toId] = [useId(), useId()];
  const submit = (event: Event) => {
    event.preventDefault();
    const a = Date.parse(start.current?.value ?? "") / 1000;
    const b = Date.parse(end.current?.value ?? "") / 1000;
    const fine = Number.isFinite(a) && Number.isFinite(b) && b > a;
    setWrong(!fine);
    if (!fine) return;
    showBetween(a, b);
    onChosen();
  };
  return (
    <form class="moments" onSubmit={submit}>
      <h3>Between</h3>
      <label for={fromId}>From</label>
      <input id={fromId} ref={start} type="datetime-local" step="1" defaultValue={localInput(from)} />
      <label for={toId}>To</label>
      <input id={toId} ref={end} type="datetime-local" step="1" defaultValue={localInput(to)} />
      <button type="submit" class="button">Show</button>
      {wrong && <p class="wrong" role="alert">“To” must be a moment after “From”.</p>}
    </form>
  );
}
