import { attributeCost } from "../src/llm/cost/attribute-cost.ts";
import { createCostWindow } from "../src/llm/cost/cost-window.ts";
import { type AttributionWorkload, createAttributionWorkload } from "./attribution-workload.ts";
import { type AttributionRow, attributeByReference } from "./reference-attribution.ts";

/*
 * One side of the attribution's bench in a process of its own, so that its memory is its own: `node attribution-side.js <product|reference|nothing> <events>`.
 * `nothing` only makes the events: what it takes is what the input takes, and it tells the fault that was put in.
 */

function attributeByProduct({ then, now }: AttributionWorkload): AttributionRow {
  const { segment, factors } = attributeCost({ now: createCostWindow(now), then: createCostWindow(then), scale: 1 });
  return { segment, factors: Object.fromEntries(factors.map(({ factor, changeMicroUsd }) => [factor, changeMicroUsd])) };
}

const sides = {
  product: attributeByProduct,
  reference: attributeByReference,
  nothing: ({ faulty }: AttributionWorkload): AttributionRow => ({ segment: faulty, factors: {} }),
};
const [name = "", count = ""] = process.argv.slice(2);
if (name !== "product" && name !== "reference" && name !== "nothing") throw new Error("a side is product, reference or nothing");
const workload = createAttributionWorkload(Number(count));
globalThis.gc?.();
const begin = performance.now();
const row = sides[name](workload);
const ms = performance.now() - begin;
const events = workload.then.length + workload.now.length;
process.stdout.write(`${JSON.stringify({ ...row, events, ms, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) })}\n`);
