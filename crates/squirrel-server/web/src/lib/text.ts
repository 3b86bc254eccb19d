// Names on this page come from others: an interface's alias may hold anything that its owner liked.

/**
 * The text with everything that could hide or reorder it made visible: control characters as their
 * Unicode pictures, bidirectional controls, zero-width characters and tags by their number.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

const HIDDEN = new RegExp(
  "[" +
    "\\u0000-\\u001f\\u007f-\\u009f" + // C0, DEL, C1
    "\\u00ad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e" + // soft hyphen, Arabic mark, fillers
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f" + // zero width, separators, bidi controls
    "\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb" + // fillers, variation selectors, annotations
    "\\u{e0000}-\\u{e0fff}" + // tags
    "]",
  "gu",
);

/** Compares names as people order them: eth2 before eth10. */
export const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
