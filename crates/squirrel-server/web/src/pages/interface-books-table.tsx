// The parts of an interface's bytes with their figures, and beneath each what it is made of and why.

import { PARTS, type PartName, WAY_WORDS, type Way, amountText, bytesOf, entriesOf, shareOf } from "../lib/books";
import { bookReason } from "../lib/reasons";
import { shareText } from "../lib/share";
import { visible } from "../lib/text";
import type { BookEntry, BookPart, BookRow } from "../state/book-types";

const WAYS = ["receive", "transmit"] as const;

/** `reasons`: whether each part tells why; what nobody can explain always does. */
export function BooksTable({ row, reasons }: { row: BookRow; reasons: boolean }) {
  return (
    <table class="books-table" id="books-table">
      <caption class="sr-only">What the bytes of this interface are made up of, and why each stands where it stands</caption>
      <thead>
        <tr>
          <th scope="col">What it was</th>
          {WAYS.map((way) => <th key={way} scope="col" class="value">{WAY_WORDS[way]}</th>)}
        </tr>
      </thead>
      <tbody>{PARTS.map((part) => <PartRows key={part.key} row={row} part={part} reasons={reasons || part.key === "unexplained"} />)}</tbody>
    </table>
  );
}

/** A part that has one reason has it beside its name; one that has several has a row for each. */
function PartRows({ row, part, reasons }: { row: BookRow; part: PartName; reasons: boolean }) {
  const entries = reasons ? entriesOf(row, part.key) : [];
  const [only] = entries;
  return (
    <>
      <tr data-part={part.key}>
        <th scope="row">
          <span class="books-part">
            <PartMark part={part} />
            <span class="books-name">{part.name}</span>
            {entries.length === 1 && only && <Reason entry={only} source={row.source} />}
          </span>
        </th>
        {WAYS.map((way) => <Amount key={way} row={row} way={way} bytes={bytesOf(row, part.key, way)} />)}
      </tr>
      {entries.length > 1 && entries.map((entry) => (
        <tr key={entry.reason} class="books-entry" data-reason={entry.reason}>
          <th scope="row"><span class="books-part"><Reason entry={entry} source={row.source} /></span></th>
          {WAYS.map((way) => <Amount key={way} row={row} way={way} bytes={entry[`${way}_bytes`]} />)}
        </tr>
      ))}
    </>
  );
}

/** The word that scripts see, and the reason as a sentence. */
const Reason = ({ entry, source }: { entry: BookEntry; source: BookRow["source"] }) => (
  <span class="books-reason"><code>{visible(entry.reason)}</code> {visible(bookReason(entry, source))}</span>
);

function Amount({ row, way, bytes }: { row: BookRow; way: Way; bytes: number }) {
  return (
    <td class={bytes > 0 ? "value" : "value dim"} data-label={WAY_WORDS[way]}>
      <span class="number">{amountText(bytes, row.source === "sampled")}</span>{" "}
      <span class="books-share">{shareText(shareOf(row, bytes, way))}</span>
    </td>
  );
}

/** The colour of a part, beside its name. */
const PartMark = ({ part }: { part: PartName }) => (
  <svg class="books-mark" width="12" height="12" aria-hidden="true"><rect class={`part-${part.key}`} fill={fillOf(part.key)} width="12" height="12" rx="2" /></svg>
);

/** The hatching of what nobody can explain; the colours of the others are the style sheet's. */
export const fillOf = (part: BookPart): string | undefined => (part === "unexplained" ? "url(#books-hatch)" : undefined);
