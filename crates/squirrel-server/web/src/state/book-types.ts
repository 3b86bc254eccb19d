// The shapes of `/api/live/books`, as the server's OpenAPI document describes them.

/** The parts that a kernel's counter is made up of. */
export type BookPart = "attributed" | "headers" | "forwarded" | "kernel" | "unexplained";

/** Wire bytes, and why they stand in their part. */
export interface BookEntry {
  part: BookPart;
  /** A word for scripts, such as `icmp`. */
  reason: string;
  /** The reason as a sentence. */
  meaning: string;
  receive_bytes: number;
  transmit_bytes: number;
}

type PartBytes = { [Field in `${BookPart}_${"receive" | "transmit"}_bytes`]: number };

/** The books of one interface: its bytes are the sum of its parts, in each direction. */
export interface BookRow extends PartBytes {
  name: string;
  /** Null for an interface of the daemon's own network namespace. */
  namespace_name: string | null;
  receive_bytes: number;
  transmit_bytes: number;
  entries: BookEntry[];
  counted_elsewhere: string | null;
  /** How the parts are known. */
  source: "exact" | "sampled" | "unavailable";
}

/** How the figures were got. */
export interface BookLevel {
  name: string;
  meaning: string;
  /** What the next level would need; null where there is none. */
  next: string | null;
  missing: { part: string; reason: string }[];
}

export interface BooksDocument {
  /** When the books were made. */
  time: number;
  /** Since when bytes are counted. */
  since: number;
  level: BookLevel;
  interfaces: BookRow[];
  /** Events of the kernel that never arrived. */
  lost_events: number;
  /** One connection in so many is looked at in detail. */
  sampling: number;
}
