// An interface's state: a word and a shape, never colour alone.

import type { Interface } from "../state/interfaces";
import { visible } from "../lib/text";

export function StateBadge({ of }: { of: Interface }) {
  const kind = stateKind(of);
  return <span class={`state ${kind}`}><span class="state-dot" aria-hidden="true" />{stateWord(of)}</span>;
}

export function stateWord(of: Interface): string {
  if (!of.wanted) return "disabled";
  if (of.state === "lowerlayerdown" || (of.state === "down" && of.wanted)) return "no carrier";
  // Loopback and some tunnels have no notion of a carrier; they work all the same.
  return of.state === "unknown" ? "up" : visible(of.state);
}

function stateKind(of: Interface): "up" | "down" | "off" | "other" {
  if (!of.wanted) return "off";
  if (of.state === "up" || of.state === "unknown") return "up";
  return of.state === "down" || of.state === "lowerlayerdown" ? "down" : "other";
}
