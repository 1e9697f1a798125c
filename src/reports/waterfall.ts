import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { isJsonObject } from "../core/json.ts";
import { fieldValue, figure, words } from "./wording.ts";

/** One row: a total from zero, or a factor that carries the sum on from where the row above left it. */
export interface WaterfallRow {
  readonly name: string;
  readonly amount: string;
  /** Of the whole change; empty for a total. */
  readonly share: string;
  /** How many times what it was; empty for a total. */
  readonly times: string;
  readonly kind: "total" | "rise" | "fall";
  /** Beginning and end of the bar, 0 to 1 of the picture's width, in order. */
  readonly from: number;
  readonly to: number;
}

/** A change of cost as a waterfall: what it was, what each factor added or took away, and what it is. */
export type Waterfall = readonly WaterfallRow[];

/** Names of the result's fields that the picture tells. */
export const waterfallFields: ReadonlySet<string> = new Set(["factors", "segment_cost_usd", "segment_baseline_usd"]);

interface Factor {
  readonly factor: string;
  readonly change: number;
  readonly share: number;
  readonly times: number;
}

/** The picture of a result that has `factors` and the costs that they lie between; undefined for any other. */
export function waterfallOf(output: { readonly [name: string]: Json }): Waterfall | undefined {
  const { factors, segment_cost_usd: now, segment_baseline_usd: before } = output;
  if (!Array.isArray(factors) || factors.length === 0 || typeof now !== "number" || typeof before !== "number") return undefined;
  const parsedFactors = factors.flatMap((row: Json) => factorOf(row));
  if (parsedFactors.length !== factors.length) return undefined;
  let sum = before;
  const moves = parsedFactors.map((one) => {
    const start = sum;
    sum += one.change;
    return { ...one, start, end: sum };
  });
  const edges = [0, before, now, ...moves.map(({ end }) => end)];
  const [low, high] = [Math.min(...edges), Math.max(...edges)];
  const place = (usd: number) => (high === low ? 0 : (usd - low) / (high - low));
  const total = (name: string, usd: number): WaterfallRow => ({
    name,
    amount: fieldValue("usd", usd),
    share: "",
    times: "",
    kind: "total",
    from: place(Math.min(0, usd)),
    to: place(Math.max(0, usd)),
  });
  return [
    total("before", before),
    ...moves.map(
      ({ factor, change, share, times, start, end }): WaterfallRow => ({
        name: words(factor),
        amount: `${change > 0 ? "+" : ""}${fieldValue("usd", change)}`,
        share: fieldValue("share", share),
        times: times === 1 ? "" : `× ${figure(times)}`,
        kind: change < 0 ? "fall" : "rise",
        from: place(Math.min(start, end)),
        to: place(Math.max(start, end)),
      }),
    ),
    total("now", now),
  ];
}

function factorOf(row: Json): readonly Factor[] {
  if (!isJsonObject(row)) return [];
  const { factor, change_usd: change, share, times } = row;
  const complete = typeof factor === "string" && typeof change === "number" && typeof share === "number" && typeof times === "number";
  return complete ? [{ factor, change, share, times }] : [];
}
