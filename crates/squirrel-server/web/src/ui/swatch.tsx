// The colour of a series beside its name: solid or dashed, and at the bottom for what is drawn below zero.

export function Swatch({ variable, dashed, below }: { variable: string; dashed: boolean; below: boolean }) {
  return (
    <svg class="swatch" width="14" height="10" viewBox="0 0 14 10" aria-hidden="true">
      <line
        x1="1" x2="13" y1={below ? 7 : 3} y2={below ? 7 : 3}
        stroke={`var(${variable})`} stroke-width="3" stroke-linecap="round"
        stroke-dasharray={dashed ? "3 4" : undefined}
      />
    </svg>
  );
}
