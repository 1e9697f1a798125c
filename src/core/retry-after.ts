const maxMs = 60_000;

/**
 * Milliseconds that a Retry-After header asks for, at most 60 s: a target cannot hold a run up for a year.
 * A moment in the past is 0; what is neither a number of seconds nor an HTTP date is undefined. RFC 9110 §10.2.3.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Math.min(maxMs, Number(text) * 1000);
  // Date.parse reads far more than HTTP dates; a date has a weekday in front.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(maxMs, Math.max(0, at - now));
}
