// Keys, in one table that both the handler and the sheet read.

import { useEffect } from "preact/hooks";
import { nextTheme, nextThroughput } from "../state/preferences";
import { shift, toggleHold, zoomOut } from "../state/range";
import { navigate } from "../state/route";

interface Shortcut {
  keys: string;
  says: string;
  does: () => void;
}

const SHORTCUTS: readonly Shortcut[] = [
  { keys: "Space", says: "Stop or follow the present", does: toggleHold },
  { keys: "z", says: "Zoom out", does: zoomOut },
  { keys: "←", says: "Half a window earlier", does: () => shift(-0.5) },
  { keys: "→", says: "Half a window later", does: () => shift(0.5) },
  { keys: "t", says: "Choose the time range", does: () => document.querySelector<HTMLElement>("[data-range-button]")?.click() },
  { keys: "/", says: "Filter the list", does: () => document.querySelector<HTMLElement>("[data-filter]")?.focus() },
  { keys: "u", says: "Throughput in bits or bytes", does: nextThroughput },
  { keys: "d", says: "Dark, light or the system's theme", does: nextTheme },
  { keys: "g o", says: "Go to the overview", does: () => navigate("/") },
  { keys: "g i", says: "Go to the interfaces", does: () => navigate("/interfaces") },
  { keys: "g p", says: "Go to the probes", does: () => navigate("/probes") },
  { keys: "g a", says: "Go to the applications", does: () => navigate("/applications") },
  { keys: "g l", says: "Go to the alerts", does: () => navigate("/alerts") },
  { keys: "?", says: "This list", does: () => openShortcuts() },
];

const KEY_NAMES: Record<string, string> = { " ": "Space", ArrowLeft: "←", ArrowRight: "→" };
const SHEET = "shortcuts";

export function openShortcuts(): void {
  const sheet = document.getElementById(SHEET) as HTMLDialogElement | null;
  if (sheet && !sheet.open) sheet.showModal();
}

/** The sheet; the keys work while it stands on the page. */
export function Shortcuts() {
  useEffect(() => {
    let prefix = "";
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (target.closest("input, select, textarea, dialog[open], [contenteditable]")) return;
      const key = KEY_NAMES[event.key] ?? event.key;
      // Space and arrows already mean something on buttons and in open panels.
      if (key === "Space" && target.closest("button, a, summary")) return;
      if (key.length > 1 && target.closest(":popover-open")) return;
      const found = SHORTCUTS.find((shortcut) => shortcut.keys === (prefix ? `${prefix} ${key}` : key));
      prefix = !found && key === "g" ? "g" : "";
      if (!found) return;
      event.preventDefault();
      found.does();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return (
    <dialog id={SHEET} class="panel shortcuts" aria-label="Keyboard shortcuts">
      <h3>Keyboard</h3>
      <dl>
        {SHORTCUTS.map(({ keys, says }) => (
          <div key={keys}>
            <dt>{keys.split(" ").map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <h3>On a chart</h3>
      <p>Drag to zoom every chart, double-click to zoom out. With two fingers: pinch.</p>
      <form method="dialog"><button class="button">Close</button></form>
      <p class="note">Made with the software of others: <a href="/licences.txt">licences</a>.</p>
    </dialog>
  );
}
