// What is put into PromQL text on this side, and the legends made from its answers.

export type Labels = Readonly<Record<string, string>>;

/** The inside of a double-quoted PromQL string that means exactly `text`. */
export function escapeString(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

/** What a page's charts are about. */
export interface Subject {
  /** An interface's name. */
  device?: string;
  /** Label matchers, already escaped: see `scopeOf`. */
  scope?: string;
  /** Seconds below which a rate has too few samples, for what is told less often than each second. */
  leastWindow?: number;
}

/** Fills in the placeholders of an expression from the server's chart table. */
export function fillIn(expr: string, windowSeconds: number, subject: Subject = {}): string {
  return expr.replace(/\$(window|device|scope)\b/g, (all, name: string) => {
    if (name === "window") return `${Math.max(windowSeconds, subject.leastWindow ?? 0)}s`;
    if (name === "scope") return subject.scope ?? all;
    return subject.device === undefined ? all : escapeString(subject.device);
  });
}

/** The label matchers of an application, or of one of its processes. */
export function scopeOf(application: string, instance?: string): string {
  const one = instance === undefined ? "" : `,instance="${escapeString(instance)}"`;
  return `application="${escapeString(application)}"${one}`;
}

/** The label matchers of a target. */
export const scopeOfProbe = (job: string, instance: string): string => `job="${escapeString(job)}",instance="${escapeString(instance)}"`;

/** The window over which rates are taken when answers are `step` seconds apart. */
export const windowFor = (step: number): number => Math.max(5, Math.ceil(2 * step));

/** The window of the live stream, which answers each second. */
export const LIVE_WINDOW = 5;

/** A legend such as `{{device}} receive` for one series. */
export function legendOf(template: string, labels: Labels): string {
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? "").trim();
}

/** A key that two series share exactly when their labels are equal. */
export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The names in an expression that could be metrics. */
export function namesIn(expr: string): string[] {
  const withoutStrings = expr.replace(/"(?:\\.|[^"\\])*"/g, '""');
  return [...new Set(withoutStrings.match(/[a-zA-Z_:][a-zA-Z0-9_:]*/g) ?? [])];
}
