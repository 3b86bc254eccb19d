// The orders of the list of interfaces.

import { byName } from "../lib/text";
import type { Interface } from "../state/interfaces";
import { stateWord } from "../ui/state-badge";

export type SortKey = "name" | "state" | "speed" | "receive" | "transmit" | "utilisation" | "errors";
export interface SortOrder {
  key: SortKey;
  descending: boolean;
}

/** Unknown values stand last in both directions; equal ones by name. */
export function compare(a: Interface, b: Interface, order: SortOrder): number {
  const sign = order.descending ? -1 : 1;
  if (order.key === "name") return sign * byName(a.device, b.device);
  if (order.key === "state") return sign * byName(stateWord(a), stateWord(b)) || byName(a.device, b.device);
  const [x, y] = [numberOf(a, order.key), numberOf(b, order.key)];
  if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a.device, b.device);
  return sign * (x - y) || byName(a.device, b.device);
}

function numberOf(of: Interface, key: Exclude<SortKey, "name" | "state">): number | null {
  if (key !== "errors") return of[key];
  return of.errors === null && of.drops === null ? null : (of.errors ?? 0) + (of.drops ?? 0);
}
