import type { MetricStory } from "./review.ts";

const bars = "▁▂▃▄▅▆▇█";

/** First, highest and last value that was seen, and how many looks saw nothing. */
export interface MetricFigures {
  readonly first: number;
  readonly highest: number;
  readonly last: number;
  readonly unseen: number;
}

/** Undefined when no look saw anything. */
export function figuresOf(metric: MetricStory): MetricFigures | undefined {
  const values = metric.points.flatMap(({ value }) => (value === null ? [] : [value]));
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { first, highest: Math.max(...values), last, unseen: metric.points.length - values.length };
}

/** One character per slice of time, its highest value; a slice that nobody saw is a dot. The scale begins at zero. */
export function textSparkline(metric: MetricStory, width = 40): string {
  const slices = slicesOf(metric, width);
  const top = Math.max(0, ...slices.flatMap((value) => (value === null ? [] : [value])));
  return slices
    .map((value) =>
      value === null
        ? "·"
        : (bars[top === 0 ? 0 : Math.min(bars.length - 1, Math.floor((Math.max(0, value) / top) * (bars.length - 1) + 0.5))] ?? "·"),
    )
    .join("");
}

/** The same as a self-contained SVG picture: a line that is interrupted where nobody saw anything, on a scale that begins at zero. */
export function svgSparkline(metric: MetricStory, size = { width: 420, height: 56 }): string {
  const { width, height } = size;
  const times = metric.points.map(({ at }) => at);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const top = Math.max(Number.MIN_VALUE, ...metric.points.flatMap(({ value }) => (value === null ? [] : [value])));
  const x = (at: number) => round(to === from ? width / 2 : 3 + ((at - from) / (to - from)) * (width - 6));
  const y = (value: number) => round(height - 4 - (Math.max(0, value) / top) * (height - 10));

  const pieces: (readonly { readonly at: number; readonly value: number }[])[] = [];
  let piece: { at: number; value: number }[] = [];
  for (const { at, value } of metric.points) {
    if (value === null) {
      if (piece.length > 0) pieces.push(piece);
      piece = [];
    } else {
      piece.push({ at, value });
    }
  }
  if (piece.length > 0) pieces.push(piece);

  const areas = pieces.map((points) => {
    const [start, end] = [points[0], points.at(-1)];
    if (start === undefined || end === undefined) return "";
    const line = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(" ");
    return `<polygon points="${x(start.at)},${height - 4} ${line} ${x(end.at)},${height - 4}" fill="#dbe7f6"/><polyline points="${line}" fill="none" stroke="#1f5fae" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>`;
  });
  const last = pieces.at(-1)?.at(-1);
  const dot = last === undefined ? "" : `<circle cx="${x(last.at)}" cy="${y(last.value)}" r="3" fill="#1f5fae"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" style="display:block;max-width:100%"><line x1="0" y1="${height - 4}" x2="${width}" y2="${height - 4}" stroke="#d0d7de"/>${areas.join("")}${dot}</svg>`;
}

function slicesOf({ points }: MetricStory, width: number): readonly (number | null)[] {
  if (points.length <= width) return points.map(({ value }) => value);
  return Array.from({ length: width }, (_, index) => {
    const slice = points.slice(Math.floor((index * points.length) / width), Math.floor(((index + 1) * points.length) / width));
    const values = slice.flatMap(({ value }) => (value === null ? [] : [value]));
    return values.length === 0 ? null : Math.max(...values);
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
