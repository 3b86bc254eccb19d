// Why numbers may be missing although everything that could be read was read, and why they are no better than they are.

import type { BookEntry, BookLevel, BookRow } from "../state/book-types";
import { namesIn } from "./promql";

/** What an expression without samples does not mean: a link of unknown speed is not an idle one. */
export function missingSentence(expr: string): string | null {
  for (const name of namesIn(expr)) {
    if (name === "squirrel_network_capacity_bytes_per_second") {
      return "The speed of the link is not known, so neither is the share of it in use.";
    }
  }
  return null;
}

/** Why bytes of an interface stand in their part of its books. */
export function bookReason(entry: BookEntry, source: BookRow["source"]): string {
  // The server's sentence for this word advises to count each packet, which is done already.
  if (source === "exact" && entry.part === "unexplained") {
    return "The interface counted it, and it is not among the packets that were told apart: it passed between two readings, or their table was full.";
  }
  return entry.meaning;
}

/** Whether the books of an interface are exact, and what would make them so. */
export function exactness(row: BookRow, level: BookLevel): string {
  if (row.source === "exact") return "Exact: the kernel counts each packet of this interface.";
  if (row.source === "unavailable") return "Not known: how the counter is made up cannot be told here.";
  const worked = "Sampled: the counter is the kernel's own, and how it is made up is worked out from what sockets and protocols count.";
  return `${worked} ${wayToExact(row, level)}`;
}

/** A sentence with its full stop; the kernel's and the server's own words come with and without. */
const ended = (sentence: string): string => (sentence.endsWith(".") ? sentence : `${sentence}.`);

function wayToExact(row: BookRow, level: BookLevel): string {
  const why = (part: string): string | undefined => level.missing.find((missing) => missing.part === part)?.reason;
  if (level.name === "packets") {
    const missing = why(`packets of ${row.name}`);
    if (missing !== undefined) return ended(`Its packets are not counted: ${missing}`);
    return 'Each of its packets is counted by now, and was not from the beginning. It is exact where level = "packets" under [accounting] holds from the start of the daemon.';
  }
  const missing = why("packets");
  if (missing !== undefined) return ended(`That each packet is counted was asked for and cannot be had: ${missing}`);
  const how = 'With level = "packets" under [accounting] in the configuration it is exact from the next start: the kernel then counts each packet (Linux 6.6, root).';
  // Of the lower levels the next one is missing too.
  return level.name === "sockets" || level.next === null ? how : `${how} At the present level, ${level.name}: ${level.next}`;
}
