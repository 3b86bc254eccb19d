// A level: a shape, a colour and a word, never colour alone.

import type { Level } from "../state/api";
import { Icon } from "./icons";
import { LEVEL_ICON, LEVEL_WORD } from "./verdict";

export function LevelIcon({ level }: { level: Level }) {
  return (
    <span class={`level ${level}`} title={LEVEL_WORD[level]}>
      <Icon name={LEVEL_ICON[level]} /><span class="sr-only">{LEVEL_WORD[level]}: </span>
    </span>
  );
}

/** One sentence with its level, above everything else of a page. */
export function Headline({ level, sentence }: { level: Level; sentence: string }) {
  return (
    <section class={`verdict ${level}`} aria-label="Verdict">
      <p class="verdict-line" role="status">
        <span class="verdict-icon" title={LEVEL_WORD[level]}><Icon name={LEVEL_ICON[level]} /></span>
        <span class="sr-only">{LEVEL_WORD[level]}: </span>
        <span>{sentence}</span>
      </p>
    </section>
  );
}
