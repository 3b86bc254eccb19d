// Above every page: whose figures these are, of what time, and how fresh.

import { visible } from "../lib/text";
import { hostName } from "../state/interfaces";
import { nextTheme, nextThroughput, theme, throughput } from "../state/preferences";
import { Icon } from "./icons";
import { LiveButton } from "./live-button";
import { RangePicker } from "./range-picker";
import { openShortcuts } from "./shortcuts";

const THEME_ICON = { system: "system", dark: "moon", light: "sun" } as const;

export function TopBar() {
  return (
    <header class="topbar">
      <p class="host"><span class="sr-only">Host </span><bdi>{visible(hostName.value)}</bdi></p>
      <div class="topbar-tools">
        <RangePicker />
        <LiveButton />
        <button type="button" class="icon-button" onClick={nextThroughput} title="Throughput in bits or bytes (u)"
          aria-label={throughput.value === "bits" ? "bit: throughput is shown in bits a second" : "B: throughput is shown in bytes a second"}>
          <span class="unit-switch">{throughput.value === "bits" ? "bit" : "B"}</span>
        </button>
        <button type="button" class="icon-button" onClick={nextTheme} title={`Theme: ${theme.value} (d)`} aria-label={`Theme: ${theme.value}`}>
          <Icon name={THEME_ICON[theme.value]} />
        </button>
        <button type="button" class="icon-button wide-only" onClick={openShortcuts} title="Keyboard shortcuts (?)" aria-label="Keyboard shortcuts">
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}
