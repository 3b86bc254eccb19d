// Figures as people read them: three digits that matter, a prefix, a unit.
// Rates take decimal prefixes as link speeds do, and amounts of traffic with them; amounts of memory take binary ones.

export type Unit =
  | "bits_per_second"
  | "packets_per_second"
  | "per_second"
  | "ratio"
  | "seconds"
  | "count"
  | "bytes"
  /** Bytes that travelled, as the terminal writes them. */
  | "traffic"
  /** Nothing is known of what it counts. */
  | "number";

/** Whether throughput is shown in bits or in bytes a second. */
export type Throughput = "bits" | "bytes";

/** How figures of one magnitude are written: `value * factor` with `suffix` behind it. */
export interface Scale {
  factor: number;
  suffix: string;
}

const DECIMAL = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
] as const;
const BINARY = [
  [2 ** 40, "Ti"],
  [2 ** 30, "Gi"],
  [2 ** 20, "Mi"],
  [2 ** 10, "Ki"],
  [1, ""],
] as const;

/** The scale that suits figures of about `magnitude`. */
export function scaleFor(unit: Unit, magnitude: number, throughput: Throughput): Scale {
  const size = Math.abs(magnitude);
  const prefixed = (value: number, table: readonly (readonly [number, string])[], base: string, factor = 1): Scale => {
    const [step, prefix] = table.find(([step]) => value >= step * 0.9995) ?? [1, ""];
    return { factor: factor / step, suffix: prefix + base };
  };
  switch (unit) {
    case "bits_per_second":
      return throughput === "bits" ? prefixed(size, DECIMAL, "bit/s") : prefixed(size / 8, DECIMAL, "B/s", 1 / 8);
    case "packets_per_second":
      return prefixed(size, DECIMAL, "pkt/s");
    case "per_second":
      return size >= 10_000 ? prefixed(size, DECIMAL, "/s") : { factor: 1, suffix: "/s" };
    case "bytes":
      return prefixed(size, BINARY, "B");
    case "traffic":
      return prefixed(size, DECIMAL, "B");
    case "ratio":
      return { factor: 100, suffix: "%" };
    case "seconds":
      if (size >= 1 || size === 0) return { factor: 1, suffix: "s" };
      return size >= 1e-3 ? { factor: 1e3, suffix: "ms" } : { factor: 1e6, suffix: "µs" };
    case "number":
      return size >= 1e6 ? prefixed(size, DECIMAL, "") : { factor: 1, suffix: "" };
    case "count":
      return size >= 100_000 ? prefixed(size, DECIMAL, "") : { factor: 1, suffix: "" };
  }
}

/** Three digits that matter, no exponent; whole numbers where the unit has no fractions. */
export function digits(value: number, whole = false): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (whole && Number.isInteger(value)) return grouped(value);
  if (size >= 1000) return grouped(Math.round(value));
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2);
  if (size >= 0.001) return value.toFixed(3);
  return "<0.001";
}

const grouped = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 9 }).replace(/,/g, "\u202f");

/** A figure in two parts, so that the unit can be set smaller. */
export interface Figure {
  number: string;
  suffix: string;
}

/** The figure for one value; a dash where there is none. */
export function figure(value: number | null | undefined, unit: Unit, throughput: Throughput): Figure {
  if (value === null || value === undefined || Number.isNaN(value)) return { number: "–", suffix: "" };
  if (!Number.isFinite(value)) return { number: value > 0 ? "∞" : "−∞", suffix: "" };
  const scale = scaleFor(unit, value, throughput);
  const whole = (unit === "count" || unit === "number" || unit === "traffic") && scale.factor === 1;
  const number = digits(value * scale.factor, whole);
  // What is nearly all is not all: an availability of 99.996 % is not one of 100 %.
  if (unit === "ratio" && value < 1 && Number(number) >= 100) return { number: (Math.floor(value * 10_000) / 100).toFixed(2), suffix: scale.suffix };
  return { number, suffix: scale.suffix };
}

/** A figure that somebody chose, with the digits it has: 10 Gbit/s, not 10.0. */
export function nominal(value: number, unit: Unit): string {
  const { factor, suffix } = scaleFor(unit, value, "bits");
  const text = grouped(Number((value * factor).toPrecision(6)));
  return suffix ? `${text}\u00a0${suffix}` : text;
}

/** A link's nominal speed. */
export function speedText(bitsPerSecond: number): string {
  const { factor, suffix } = scaleFor("bits_per_second", bitsPerSecond, "bits");
  return `${Number((bitsPerSecond * factor).toPrecision(3))}\u00a0${suffix}`;
}

/** The figure as one text. */
export function show(value: number | null | undefined, unit: Unit, throughput: Throughput): string {
  const { number, suffix } = figure(value, unit, throughput);
  return suffix ? `${number}\u00a0${suffix}` : number;
}
