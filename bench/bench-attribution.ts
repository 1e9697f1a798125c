import { z } from "zod";
import { type Comparison, runRounds, sideUsage } from "./run-rounds.ts";

const rowSchema = sideUsage.extend({
  segment: z.record(z.string(), z.string()),
  factors: z.record(z.string(), z.number()),
  events: z.number(),
});

/** What came of one side: the segment and each factor's part of its change in micro-USD; of the input's side the segment with the fault. */
export type AttributionOutcome = z.infer<typeof rowSchema>;

/** See {@link Comparison}. */
export type AttributionComparison = Comparison<AttributionOutcome>;

/** Attributes a rise of cost over the same `events` with a straightforward reference and with the product. */
export function benchAttribution(events: number, rounds: number): AttributionComparison {
  return runRounds("attribution-side.js", events, rounds, rowSchema);
}

/** Of the whole change. */
const tolerance = 1e-6;

/** In what a side differs from the fault that was put in, or the product from the reference; empty: in nothing. */
export function differencesOf({ input, sides }: AttributionComparison): readonly string[] {
  const differences: string[] = [];
  const [reference] = sides;
  for (const { side, row } of sides) {
    if (named(row) !== named(input)) differences.push(`${side} found ${named(row)}, the fault was in ${named(input)}`);
    if (reference === undefined) continue;
    if (strongest(row) !== strongest(reference.row))
      differences.push(`${side} blames ${strongest(row)}, reference ${strongest(reference.row)}`);
    const [change, expected] = [sumOf(row), sumOf(reference.row)];
    if (Math.abs(change - expected) > tolerance * Math.abs(expected))
      differences.push(`the factors of ${side} sum to ${change} micro-USD, those of reference to ${expected}`);
  }
  return differences;
}

/** The comparison as a table for people. */
export function renderAttribution(comparison: AttributionComparison): string {
  const rows = comparison.sides.map(
    ({ side, row, seconds, memoryMb }) =>
      `${side.padEnd(10)} ${seconds.toFixed(2).padStart(7)} s  ${String(memoryMb).padStart(5)} MB  ${named(row)} by ${strongest(row)}, factors sum to $${(sumOf(row) / 1_000_000).toFixed(6)}\n`,
  );
  const differences = differencesOf(comparison);
  const verdict =
    differences.length === 0
      ? `Both name the fault that was put in: ${named(comparison.input)}.`
      : `They differ: ${differences.join("; ")}.`;
  return `Attribution of a rise over ${comparison.input.events} usage events, beside a straightforward reference:\n${rows.join("")}${verdict}\n`;
}

function named({ segment }: AttributionOutcome): string {
  const parts = Object.entries(segment).map(([dimension, element]) => `${dimension} ${element}`);
  return parts.length === 0 ? "nothing" : parts.toSorted((a, b) => (a < b ? -1 : 1)).join(", ");
}

function strongest({ factors }: AttributionOutcome): string {
  return Object.entries(factors).toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "nothing";
}

function sumOf({ factors }: AttributionOutcome): number {
  return Object.values(factors).reduce((sum, change) => sum + change, 0);
}
