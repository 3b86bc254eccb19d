// Colours that stay with a name, on every page and after a reload.

/** How many colours `--series-0` … the style sheet has; told apart with every common colour blindness. */
const COLOURS = 8;
/** The last one is quiet and kept for charts that need all. */
const HASHED = COLOURS - 1;

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

/** How one series is drawn; two that share a colour differ by their dashes. */
export interface Stroke {
  /** Custom property of the style sheet. */
  variable: string;
  dash: number[];
}

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

/**
 * A stroke for each name: the one its hash says, or the next free one when another name of the
 * same chart (earlier in the list) has it.
 */
export function strokes(names: readonly string[]): Map<string, Stroke> {
  // What has a fixed colour keeps it, wherever in the list it stands.
  const taken = new Set<number>(names.flatMap((name) => FIXED[name] ?? []));
  const result = new Map<string, Stroke>();
  const limit = COLOURS * DASHES.length;
  for (const name of names) {
    if (result.has(name)) continue;
    const fixed = FIXED[name];
    const first = hash(name) % HASHED;
    let slot = fixed ?? first;
    // All plain colours come before the first dashed one.
    for (let tried = 1; fixed === undefined && taken.has(slot) && tried < limit; tried++) {
      slot = ((first + tried) % COLOURS) + COLOURS * Math.floor(tried / COLOURS);
    }
    taken.add(slot);
    result.set(name, { variable: `--series-${slot % COLOURS}`, dash: DASHES[Math.floor(slot / COLOURS) % DASHES.length] ?? [] });
  }
  return result;
}

/** The two directions have their own colours where nothing else tells their series apart. */
const FIXED: Record<string, number> = { "(receive)": 0, "(transmit)": 1 };

/** What a legend is coloured by: the name without its direction, so both halves of a mirrored chart agree. */
export function colourName(label: string): string {
  const direction = DIRECTION.exec(label)?.[0];
  const rest = label.replace(DIRECTION, " ").replace(/\s+/g, " ").trim();
  if (rest !== "" || direction === undefined) return rest;
  return direction.startsWith("receive") ? "(receive)" : "(transmit)";
}

const DIRECTION = /\b(receive|transmit|received|transmitted)\b/;
