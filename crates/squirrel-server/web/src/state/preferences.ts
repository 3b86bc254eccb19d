// What the user chose, kept in this browser.

import { effect, signal, type Signal } from "@preact/signals";
import type { Throughput } from "../lib/units";

export type Theme = "system" | "dark" | "light";

function kept<T extends string>(name: string, allowed: readonly T[]): Signal<T> {
  const key = `squirrel.${name}`;
  const stored = localStorage.getItem(key) as T | null;
  const value = signal<T>(stored !== null && allowed.includes(stored) ? stored : (allowed[0] as T));
  effect(() => localStorage.setItem(key, value.value));
  return value;
}

const THEMES: readonly Theme[] = ["system", "dark", "light"];

export const theme = kept<Theme>("theme", THEMES);
export const throughput = kept<Throughput>("throughput", ["bits", "bytes"]);
/** Whether the books of interfaces tell why each part is what it is. */
export const bookReasons = kept<"hidden" | "shown">("book-reasons", ["hidden", "shown"]);

/** Counts up whenever colours may have changed: charts draw themselves anew. */
export const paint = signal(0);

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
}

export function nextThroughput(): void {
  throughput.value = throughput.value === "bits" ? "bytes" : "bits";
}

effect(() => {
  const root = document.documentElement;
  if (theme.value === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme.value;
  paint.value = paint.peek() + 1;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint.value++);
