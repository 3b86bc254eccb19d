// The books of an interface as a drawing and as words: which parts there are, how large each is, and what its bar says.

import type { BookEntry, BookPart, BookRow } from "../state/book-types";
import { shareText } from "./share";
import { show } from "./units";

/** One direction of an interface. */
export type Way = "receive" | "transmit";

/** What a part is called. The style sheet has a colour for each key, and the house's palette that colour. */
export interface PartName {
  key: BookPart;
  name: string;
}

/** In the order in which they stand in a bar: what is known best comes first, what nobody knows last. */
export const PARTS: readonly PartName[] = [
  { key: "attributed", name: "Attributed to processes" },
  { key: "headers", name: "Headers and retransmissions" },
  { key: "forwarded", name: "Forwarded" },
  { key: "kernel", name: "Other kernel traffic" },
  { key: "unexplained", name: "Unexplained" },
];

/** A part of one direction. */
export interface Part extends PartName {
  bytes: number;
  /** Of all bytes of this direction; null where there are none. */
  share: number | null;
}

export const totalOf = (row: BookRow, way: Way): number => row[`${way}_bytes`];

export const bytesOf = (row: BookRow, part: BookPart, way: Way): number => row[`${part}_${way}_bytes`];

/** The share of all bytes of a direction; null where there are none. */
export const shareOf = (row: BookRow, bytes: number, way: Way): number | null => (totalOf(row, way) > 0 ? bytes / totalOf(row, way) : null);

/** All parts of one direction, in order. */
export const partsOf = (row: BookRow, way: Way): Part[] =>
  PARTS.map((part) => {
    const bytes = bytesOf(row, part.key, way);
    return { ...part, bytes, share: shareOf(row, bytes, way) };
  });

/** The reasons of one part, the largest first. */
export const entriesOf = (row: BookRow, part: BookPart): BookEntry[] =>
  row.entries.filter((entry) => entry.part === part).sort((a, b) => b.receive_bytes + b.transmit_bytes - a.receive_bytes - a.transmit_bytes);

/** A part of a bar, in hundredths of its length. */
export interface Piece {
  key: BookPart;
  from: number;
  length: number;
}

/** Hundredths that a part has at least: a millionth that nobody can explain must be seen. */
const LEAST = 0.8;

/** Where each part of a bar stands. Whatever the least ones have too much is taken from the others, by their size. */
export function piecesOf(parts: readonly Part[]): Piece[] {
  const there = parts.filter((part) => part.bytes > 0);
  const all = there.reduce((sum, part) => sum + part.bytes, 0);
  const exact = (part: Part): number => (100 * part.bytes) / all;
  const [small, large] = [there.filter((part) => exact(part) < LEAST), there.filter((part) => exact(part) >= LEAST)];
  const left = 100 - LEAST * small.length;
  const ofLarge = large.reduce((sum, part) => sum + exact(part), 0);
  let from = 0;
  return there.map((part) => {
    const length = exact(part) < LEAST ? LEAST : (exact(part) / ofLarge) * left;
    const piece = { key: part.key, from, length };
    from += length;
    return piece;
  });
}

/** What an amount of traffic is written as; one that is worked out and not counted begins with the sign that the terminal has. */
export const amountText = (bytes: number, sampled: boolean): string => (sampled && bytes > 0 ? "~" : "") + show(bytes, "traffic", "bits");

/** What each way is called. */
export const WAY_WORDS = { receive: "Received", transmit: "Transmitted" } as const;

/** A bar in words, for those who do not see it. */
export function barSentence(row: BookRow, way: Way): string {
  const total = totalOf(row, way);
  if (total === 0) return `${WAY_WORDS[way]}: nothing.`;
  const about = row.source === "sampled" ? "about " : "";
  const told = partsOf(row, way)
    .filter((part) => part.bytes > 0)
    .map((part) => `${part.name.toLowerCase()} ${about}${show(part.bytes, "traffic", "bits")}, ${shareText(part.share)}`);
  return `${WAY_WORDS[way]} ${show(total, "traffic", "bits")}: ${told.join("; ")}.`;
}

/** How much of it nobody can explain, before anything else is said. */
export function unexplainedSentence(row: BookRow): string {
  const parts = (["receive", "transmit"] as const).flatMap((way) => {
    const bytes = bytesOf(row, "unexplained", way);
    return bytes > 0 ? [`${shareText(shareOf(row, bytes, way))} of what was ${WAY_WORDS[way].toLowerCase()}`] : [];
  });
  if (parts.length > 0) return `Unexplained: ${parts.join(", and ")}.`;
  return row.receive_bytes + row.transmit_bytes === 0 ? "Nothing was received or transmitted." : "Nothing is unexplained.";
}
