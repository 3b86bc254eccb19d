// The books of one interface, asked for every other second while somebody looks at them.

import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, books as fetchBooks } from "./api";
import type { BookRow, BooksDocument } from "./book-types";
import { held } from "./range";
import { tick } from "./stream";

/** Why there is no newer answer. */
export interface BooksFailure {
  why: string;
  /** The server's status; null when it did not answer. */
  status: number | null;
}

const EVERY_MS = 1_900;
/** After failures one after the other the pause doubles so often: where accounting is off, no question changes that. */
const MOST_DOUBLINGS = 4;

class Poll {
  readonly newest = signal<BooksDocument | null>(null);
  readonly failure = signal<BooksFailure | null>(null);
  private pending = false;
  private failures = 0;
  private askedAt = -Infinity;

  constructor(private readonly device: string) {}

  /**
   * Asks if it is time. A slow server gets no second question, a stopped screen keeps what it shows, and a page that
   * nobody sees asks for nothing.
   */
  inTurn(): void {
    if (this.pending || document.hidden || this.isStopped()) return;
    const pause = EVERY_MS * 2 ** Math.min(this.failures, MOST_DOUBLINGS);
    if (performance.now() - this.askedAt >= pause) void this.ask();
  }

  private isStopped(): boolean {
    return held.peek() && this.newest.peek() !== null;
  }

  private async ask(): Promise<void> {
    this.pending = true;
    this.askedAt = performance.now();
    try {
      const next = await fetchBooks(this.device);
      this.failures = 0;
      // The screen may have been stopped while the question was on its way.
      if (this.isStopped()) return;
      this.newest.value = next;
      this.failure.value = null;
    } catch (error) {
      this.failures++;
      if (this.isStopped()) return;
      this.failure.value = error instanceof ApiError ? { why: error.message, status: error.status } : { why: String(error), status: null };
    } finally {
      this.pending = false;
    }
  }
}

/** The newest books of an interface, kept fresh while the component stands, and why they are not fresher. */
export function useBooks(device: string): { newest: ReadonlySignal<BooksDocument | null>; failure: ReadonlySignal<BooksFailure | null> } {
  const poll = useMemo(() => new Poll(device), [device]);
  useEffect(() => {
    poll.inTurn();
    return tick.subscribe(() => poll.inTurn());
  }, [poll]);
  return poll;
}

/** The row of an interface of the daemon's own network namespace: another one may have the same name. */
export const rowOf = (books: BooksDocument, device: string): BookRow | undefined =>
  books.interfaces.find((row) => row.name === device && row.namespace_name === null);
