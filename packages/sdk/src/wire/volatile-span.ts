/** Kinds of text that change from request to request and say nothing about the task. */
export const spanKinds = ["time", "uuid", "request_id", "hex", "temp_path", "epoch", "number"] as const;

/** See {@link spanKinds}. */
export type SpanKind = (typeof spanKinds)[number];

/** One volatile span of a text. */
export interface VolatileSpan {
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
}

// The first that fits at a place wins, so what contains digits stands before plain numbers. Bounded repetitions only: prompts are untrusted and long.
const patterns: readonly (readonly [SpanKind, string])[] = [
  ["uuid", String.raw`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`],
  ["time", String.raw`\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b`],
  ["time", String.raw`\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\b`],
  ["request_id", String.raw`\b(?:req|msg|run|trace|session|sess|chatcmpl|resp|call|job)[-_][A-Za-z0-9]{6,64}\b`],
  ["temp_path", String.raw`(?:/tmp|/var/folders|/private/tmp)/[\w./-]{1,200}`],
  ["epoch", String.raw`\b1\d{9}(?:\d{3})?\b`],
  ["hex", String.raw`\b(?=[0-9a-f]{0,63}[a-f])(?=[0-9a-f]{0,63}\d)[0-9a-f]{7,64}\b`],
  ["number", String.raw`\b\d{1,18}\b`],
];

const any = new RegExp(patterns.map(([, source], index) => `(?<p${index}>${source})`).join("|"), "g");

/** Every volatile span of a text, in order, without overlap. */
export function volatileSpans(text: string): readonly VolatileSpan[] {
  const spans: VolatileSpan[] = [];
  for (const match of text.matchAll(any)) {
    const index = patterns.findIndex((_, at) => match.groups?.[`p${at}`] !== undefined);
    const kind = patterns[index]?.[0];
    if (kind !== undefined) spans.push({ kind, start: match.index, end: match.index + match[0].length });
  }
  return spans;
}

/** The text with each volatile span replaced by its kind: two texts that differ in nothing else are equal then. */
export function maskSpans(text: string, spans: readonly VolatileSpan[]): string {
  let masked = "";
  let end = 0;
  for (const span of spans) {
    masked += `${text.slice(end, span.start)}<${span.kind}>`;
    end = span.end;
  }
  return masked + text.slice(end);
}
