import type { Segment } from "../../packages/sdk/src/wire/costs.ts";
import type { Random } from "../../src/core/random.ts";
import type { CostEvent } from "../../src/llm/cost/cost-window.ts";

/** What goes wrong in a window, and for which requests. */
export interface CostFault {
  readonly kind: "retry" | "cache" | "tokens" | "volume";
  readonly within: Segment;
  readonly times: number;
}

// Looking up a global costs much in a test runner's sandbox, and this is done millions of times.
const { log, max, min, round, sqrt, exp, cos, PI } = Math;

const models = ["opus", "sonnet", "haiku"] as const;
/** Micro-USD per million tokens. */
const prices = { opus: [5_000_000, 25_000_000], sonnet: [3_000_000, 15_000_000], haiku: [1_000_000, 5_000_000] } as const;

/** The elements of each dimension. */
export const elements = {
  model: models,
  prompt: Array.from({ length: 12 }, (_, index) => `p${index}`),
  operation: ["plan", "implement", "review", "fix"],
  repo: Array.from({ length: 8 }, (_, index) => `r${index}`),
  team: Array.from({ length: 5 }, (_, index) => `t${index}`),
} as const;

type Dimension = keyof typeof elements;

/** How often each element of each dimension occurs; drawn once per workload. */
export type Weights = { readonly [Name in Dimension]: readonly number[] };

/** Uneven shares, as a Dirichlet distribution with concentration 2 gives them. */
export function drawWeights(random: Random): Weights {
  const of = (names: readonly string[]): readonly number[] => {
    const drawn = names.map(() => gamma(random, 2));
    const sum = drawn.reduce((total, value) => total + value, 0);
    return drawn.map((value) => value / sum);
  };
  return {
    model: of(elements.model),
    prompt: of(elements.prompt),
    operation: of(elements.operation),
    repo: of(elements.repo),
    team: of(elements.team),
  };
}

/** One window of the workload: about `tickets` tickets, each attempt one event. */
export function drawWindow(random: Random, weights: Weights, tickets: number, fault?: CostFault): CostEvent[] {
  const events: CostEvent[] = [];
  const within = Object.entries(fault?.within ?? {});
  let nth = 0;
  for (let drawn = poisson(random, tickets); drawn > 0; drawn -= 1) {
    const dims = {
      model: pick(random, elements.model, weights.model),
      prompt: pick(random, elements.prompt, weights.prompt),
      operation: pick(random, elements.operation, weights.operation),
      repo: pick(random, elements.repo, weights.repo),
      team: pick(random, elements.team, weights.team),
    };
    const hit = fault !== undefined && within.every(([name, element]) => Reflect.get(dims, name) === element);
    const kind = hit ? fault.kind : undefined;
    const times = hit ? fault.times : 1;
    const attempts = (1 + poisson(random, 0.3)) * (kind === "retry" ? times : 1);
    const inputTokens = gamma(random, 8) * 2500 * (kind === "tokens" ? times : 1);
    const read = kind === "cache" ? 0.05 : min(0.97, max(0, 0.82 + 0.06 * normal(random)));
    const outputTokens = gamma(random, 4) * 300;
    const [inputPrice, outputPrice] = prices[dims.model];
    const inputCostMicroUsd = (inputTokens * inputPrice * (read * 0.1 + (1 - read) * 1.1)) / 1_000_000;
    const costMicroUsd = inputCostMicroUsd + (outputTokens * outputPrice) / 1_000_000;
    for (let copy = 0; copy < (kind === "volume" ? times : 1); copy += 1) {
      const ticketId = `T-${(nth += 1)}`;
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        events.push({
          at: 0,
          dims,
          ticketId,
          attempt,
          costMicroUsd,
          inputCostMicroUsd,
          inputPrice,
          inputTokens,
          outputTokens,
          unpricedTokens: 0,
        });
      }
    }
  }
  return events;
}

function pick<Name extends string>(random: Random, names: readonly Name[], weights: readonly number[]): Name {
  let rest = random();
  for (const [index, name] of names.entries()) {
    rest -= weights[index] ?? 0;
    if (rest < 0) return name;
  }
  const last = names.at(-1);
  if (last === undefined) throw new Error("There is nothing to pick from.");
  return last;
}

function normal(random: Random): number {
  return sqrt(-2 * log(1 - random())) * cos(2 * PI * random());
}

/** Sum of exponentials; `shape` is a whole number. */
function gamma(random: Random, shape: number): number {
  let product = 1;
  for (let index = 0; index < shape; index += 1) product *= 1 - random();
  return -log(product);
}

/** By its normal approximation where the mean is large. */
function poisson(random: Random, mean: number): number {
  if (mean > 50) return max(0, round(mean + sqrt(mean) * normal(random)));
  const limit = exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
}
