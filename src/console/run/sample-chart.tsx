import { figure, timeOfDay, visibleText } from "../page-format.ts";
import type { Sample } from "./run-events.ts";

const [width, height, top, bottom, side] = [360, 132, 10, 20, 58];
const maxPoints = 400;

/** A tracked metric over the time of a run, from the measurements in its journal; a gap is where it could not be measured. */
export function SampleChart({ name, samples }: { readonly name: string; readonly samples: readonly Sample[] }) {
  const points = samples.slice(-maxPoints);
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const [first, last] = [points[0], points.at(-1)];
  if (values.length < 2 || first === undefined || last === undefined) return null;
  const max = Math.max(...values, 0) || 1;
  const min = Math.min(...values, 0);
  const across = (at: number) => side + ((at - first.at) / Math.max(1, last.at - first.at)) * (width - side - 6);
  const down = (value: number) => top + (1 - (value - min) / (max - min)) * (height - top - bottom);
  const title = `${visibleText(name, 60)}: ${figure(values[0] ?? 0)} at ${timeOfDay(first.at)}, ${figure(values.at(-1) ?? 0)} at ${timeOfDay(last.at)} UTC, ${points.length} measurements`;
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
      {[min, (min + max) / 2, max].map((value) => (
        <>
          <line class="grid" x1={side} x2={width - 6} y1={down(value)} y2={down(value)} />
          <text x={side - 6} y={down(value) + 4} text-anchor="end">
            {figure(value)}
          </text>
        </>
      ))}
      {linesOf(points).map((line) => (
        <polyline class="curve" points={line.map(({ at, value }) => `${across(at).toFixed(1)},${down(value).toFixed(1)}`).join(" ")} />
      ))}
      {points.map(({ at, value }) => (value === null ? null : <circle class="point" cx={across(at)} cy={down(value)} r="2.5" />))}
      <text x={side} y={height - 4}>
        {timeOfDay(first.at)}
      </text>
      <text x={width - 6} y={height - 4} text-anchor="end">
        {timeOfDay(last.at)}
      </text>
    </svg>
  );
}

/** The measurements without gaps: a new line begins behind each gap. */
function linesOf(points: readonly Sample[]): readonly (readonly { readonly at: number; readonly value: number }[])[] {
  const lines: { readonly at: number; readonly value: number }[][] = [[]];
  for (const { at, value } of points) {
    if (value === null) lines.push([]);
    else lines.at(-1)?.push({ at, value });
  }
  return lines.filter((line) => line.length > 1);
}
