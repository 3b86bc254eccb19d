// Times and spans as text, and back. All times are seconds since 1970, as Prometheus has them.

/** A span with its largest unit: 45 s, 15 min, 6 h, 7 d. */
export function spanText(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ];
  for (const [size, name] of units) {
    if (seconds >= size && (seconds % size === 0 || seconds >= 2 * size)) {
      const value = seconds / size;
      return `${Number.isInteger(value) ? value : value.toFixed(1)}\u00a0${name}`;
    }
  }
  return `${Math.round(seconds)}\u00a0s`;
}

/** A span that passes while it is read: whole minutes from ten on, whole hours from two days on. */
export function roughSpan(seconds: number): string {
  const unit = seconds >= 2 * 86_400 ? 3600 : seconds >= 600 ? 60 : 1;
  return spanText(Math.max(0, Math.round(seconds / unit) * unit));
}

/** A span as the address bar and PromQL write it: 15m. */
export function spanCode(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`;
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  if (seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** The seconds of `90s`, `15m`, `1h30m`, `2 d`; null for anything else. */
export function parseSpan(text: string): number | null {
  const compact = text.trim().toLowerCase().replace(/\s+/g, "");
  if (!/^(\d+(\.\d+)?(s|min|m|h|d|w))+$/.test(compact)) return null;
  let seconds = 0;
  for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(s|min|m|h|d|w)/g)) {
    seconds += Number(amount) * (UNIT_SECONDS[unit ?? ""] ?? 0);
  }
  return Math.round(seconds);
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** 14:03:22 of the browser's time zone. */
export const clockText = (time: number): string => CLOCK.format(time * 1000);

/** 14:03:22, with the day before it when that is not today. */
export function momentText(time: number, now: number): string {
  const day = DAY.format(time * 1000);
  return day === DAY.format(now * 1000) ? clockText(time) : `${day} ${clockText(time)}`;
}

/** RFC 3339 without fractions, for addresses that are shared. */
export const isoText = (time: number): string => new Date(Math.round(time) * 1000).toISOString().replace(".000Z", "Z");

/** What `<input type="datetime-local">` wants. */
export function localInput(time: number): string {
  const date = new Date(time * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** The browser's time zone, as it is called. */
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
