// Where the bytes of an interface went: one bar for each direction, what each part is made of, and how well it is known.

import { PARTS, WAY_WORDS, type Way, amountText, barSentence, partsOf, piecesOf, totalOf, unexplainedSentence } from "../lib/books";
import { exactness } from "../lib/reasons";
import { shareText } from "../lib/share";
import { visible } from "../lib/text";
import { momentText } from "../lib/time";
import { digits, show } from "../lib/units";
import { serverNow } from "../state/api";
import type { BookRow, BooksDocument } from "../state/book-types";
import { type BooksFailure, rowOf, useBooks } from "../state/books";
import { accountingOffSentence } from "../state/health";
import { bookReasons } from "../state/preferences";
import { BooksTable, fillOf } from "./interface-books-table";

export function InterfaceBooks({ device }: { device: string }) {
  const books = useBooks(device);
  const [newest, failure] = [books.newest.value, books.failure.value];
  const row = newest === null ? undefined : rowOf(newest, device);
  return (
    <section class="card books" aria-labelledby="books-title" data-books={row ? "row" : "empty"}>
      <header>
        <h2 id="books-title">Where its bytes went</h2>
        {row && <span class={`books-source ${row.source}`}>{row.source}</span>}
        {row && hasTable(row) && <ReasonsButton />}
        {newest && <p class="note">since {momentText(newest.since, serverNow())}, as of <span data-as-of={newest.time}>{momentText(newest.time, serverNow())}</span></p>}
      </header>
      {newest && failure && (
        <p class="books-failure" role="status">No newer figures since {momentText(newest.time, serverNow())}: {visible(failure.why)}</p>
      )}
      {newest === null ? <Nothing failure={failure} /> : row ? <Books row={row} books={newest} /> : (
        <p class="note">The books have no row of this interface: it is not there any more, or came after they were closed at {momentText(newest.time, serverNow())}.</p>
      )}
    </section>
  );
}

/** A table of zeros tells nothing. */
const hasTable = (row: BookRow): boolean => row.source !== "unavailable" && row.receive_bytes + row.transmit_bytes > 0;

function ReasonsButton() {
  const shown = bookReasons.value === "shown";
  return (
    <button type="button" class="button push" aria-expanded={shown} aria-controls="books-table" onClick={() => (bookReasons.value = shown ? "hidden" : "shown")}>
      {shown ? "Hide reasons" : "Show reasons"}
    </button>
  );
}

/** Why there are no books at all. */
function Nothing({ failure }: { failure: BooksFailure | null }) {
  if (failure === null) return <p class="books-wait" aria-hidden="true" />;
  const off = failure.status === 503 ? accountingOffSentence() : null;
  return (
    <p class="note" role="status">
      {off === null
        ? `Nothing is known of it now: ${visible(failure.why)}`
        : `Nobody counts whose bytes these are. ${off} With level = "sockets" the books are kept, and with level = "packets" they are exact.`}
    </p>
  );
}

function Books({ row, books }: { row: BookRow; books: BooksDocument }) {
  return (
    <>
      <p class={row.source === "unavailable" ? "dim" : undefined} data-unexplained>{row.source === "unavailable" ? "How these bytes are made up is not known." : unexplainedSentence(row)}</p>
      <svg class="books-patterns" width="0" height="0" aria-hidden="true">
        <pattern id="books-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="hatch-ground" width="6" height="6" />
          <rect class="hatch-line" width="2" height="6" />
        </pattern>
      </svg>
      {(["receive", "transmit"] as const).map((way) => <Bar key={way} row={row} way={way} />)}
      {hasTable(row) && <BooksTable row={row} reasons={bookReasons.value === "shown"} />}
      <div class="books-notes note">
        <p data-exactness>{visible(exactness(row, books.level))}</p>
        {row.counted_elsewhere !== null && <p>Left out of the host's total: {visible(row.counted_elsewhere)}.</p>}
        {books.sampling > 1 && <p>One connection in {digits(books.sampling, true)} is followed, and counts as many times.</p>}
        {books.lost_events > 0 && <p>{digits(books.lost_events, true)} events of the kernel never arrived; what they told may be missing.</p>}
      </div>
    </>
  );
}

function Bar({ row, way }: { row: BookRow; way: Way }) {
  const parts = row.source === "unavailable" ? [] : partsOf(row, way);
  const name = (key: string): string => PARTS.find((part) => part.key === key)?.name ?? key;
  const label = row.source === "unavailable" ? `${WAY_WORDS[way]} ${show(totalOf(row, way), "traffic", "bits")}.` : barSentence(row, way);
  return (
    <div class="books-way" data-way={way}>
      <h3>{WAY_WORDS[way]}</h3>
      <b class="number">{show(totalOf(row, way), "traffic", "bits")}</b>
      <svg class="books-bar" role="img" aria-label={label}>
        <rect class="track" width="100%" height="100%" />
        {piecesOf(parts).map(({ key, from, length }) => {
          const part = parts.find((candidate) => candidate.key === key);
          return (
            <rect key={key} class={`part-${key}`} fill={fillOf(key)} x={`${from}%`} width={`${length}%`} height="100%">
              <title>{`${name(key)}: ${amountText(part?.bytes ?? 0, row.source === "sampled")}, ${shareText(part?.share)}`}</title>
            </rect>
          );
        })}
      </svg>
    </div>
  );
}
