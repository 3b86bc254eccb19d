// A line without axes: what the last minutes looked like.

interface Props {
  times: readonly number[];
  values: readonly (number | null)[];
  variable: string;
  from: number;
  to: number;
  /** The top of the scale; the largest value unless given. */
  top?: number;
}

const WIDTH = 120;
const HEIGHT = 28;

export function Sparkline({ times, values, variable, from, to, top }: Props) {
  let largest = top ?? 0;
  if (top === undefined) for (const value of values) if (value !== null && value > largest) largest = value;
  const line = pathOf(times, values, from, to, largest || 1);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="area" d={line.area} fill={`var(${variable})`} />
      <path class="line" d={line.line} stroke={`var(${variable})`} />
    </svg>
  );
}

function pathOf(times: readonly number[], values: readonly (number | null)[], from: number, to: number, largest: number) {
  let line = "";
  let area = "";
  let startX = "";
  let lastX = "";
  const close = () => {
    if (startX !== "") area += `L${lastX},${HEIGHT}L${startX},${HEIGHT}Z`;
    startX = "";
  };
  for (let i = 0; i < times.length; i++) {
    const time = times[i] ?? 0;
    const value = values[i] ?? null;
    if (time < from) continue;
    if (value === null) {
      close();
      continue;
    }
    const x = (((time - from) / (to - from)) * WIDTH).toFixed(1);
    const y = (HEIGHT - 1 - (Math.max(0, value) / largest) * (HEIGHT - 3)).toFixed(1);
    const point = `${x},${y}`;
    line += `${startX === "" ? "M" : "L"}${point}`;
    area += `${startX === "" ? "M" : "L"}${point}`;
    if (startX === "") startX = x;
    lastX = x;
  }
  close();
  return { line, area };
}
