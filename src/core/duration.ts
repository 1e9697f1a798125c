/** Milliseconds of a minute. */
export const minuteMs = 60_000;
/** Milliseconds of an hour. */
export const hourMs = 60 * minuteMs;
/** Milliseconds of 24 hours. */
export const dayMs = 24 * hourMs;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: minuteMs,
  h: hourMs,
  d: dayMs,
  w: 7 * dayMs,
  y: 365 * dayMs,
};

const pattern = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** What `parseDuration` accepts; quoted in diagnostics. */
export const durationGrammar = "a duration such as 500ms, 90s, 10m, 1h30m, 2d";

/**
 * Milliseconds of a duration in Prometheus's grammar (units in descending order, each at most once), or undefined when the text is none.
 * https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
 */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text);
  if (text === "" || match === null) return text === "0" ? 0 : undefined;
  const units = ["y", "w", "d", "h", "m", "s", "ms"] as const;
  const ms = units.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * (unitMs[unit] ?? 0), 0);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest text that `parseDuration` reads back to the same number; rounds to whole milliseconds. */
export function formatDuration(ms: number): string {
  let remainingMs = Math.round(ms);
  if (remainingMs <= 0) return "0s";
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"] as const) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(remainingMs / size);
    if (count > 0) text += `${count}${unit}`;
    remainingMs -= count * size;
  }
  return text;
}
