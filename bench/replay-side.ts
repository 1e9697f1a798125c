import { prepareTrace, replayCache } from "../src/llm/caching/cache-replay.ts";
import { cacheRulesOf } from "../src/llm/caching/cache-rules.ts";
import { replayByReference } from "./reference-cache.ts";
import { createReplayWorkload, type ReplayRow, type ReplayWorkload } from "./replay-workload.ts";

/*
 * One side of the replay's bench in a process of its own, so that its memory is its own: `node replay-side.js <product|reference|nothing> <requests>`.
 * `nothing` only makes the requests: what it takes is what the input takes.
 */

function replayByProduct({ requests }: ReplayWorkload): ReplayRow {
  const rules = cacheRulesOf("anthropic", "claude-sonnet-4-5");
  if (rules === undefined) throw new Error("the rules of Anthropic are known");
  const trace = prepareTrace(requests.map(({ atSeconds, blocks }) => ({ at: atSeconds * 1000, ttftMs: 4000, blocks })));
  const { read, write, uncached } = replayCache(trace, { markersOf: (index) => requests[index]?.markers ?? [], rules });
  return { read, write5m: write["5m"], write1h: write["1h"], uncached };
}

const sides = { product: replayByProduct, reference: replayByReference, nothing: () => ({ read: 0, write5m: 0, write1h: 0, uncached: 0 }) };
const [name = "", count = ""] = process.argv.slice(2);
if (name !== "product" && name !== "reference" && name !== "nothing") throw new Error("a side is product, reference or nothing");
const workload = createReplayWorkload(Number(count));
globalThis.gc?.();
const begin = performance.now();
const row = sides[name](workload);
const ms = performance.now() - begin;
process.stdout.write(`${JSON.stringify({ ...row, ms, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) })}\n`);
