import type { CostFactor } from "../../../packages/sdk/src/wire/costs.ts";

const advice: { readonly [Factor in CostFactor]: string } = {
  attempts_per_ticket: "Tickets are tried again and again: find what refuses their results, and allow one attempt each until then.",
  turns_per_attempt: "Attempts take more turns: look at the loop of the agent; a cap per ticket bounds it until then.",
  tokens_per_turn: "Prompts have grown: cap the context or compact it; a cap per ticket bounds it until then.",
  cache_mix: "The cache is read less: start the runbook cache-optimization for this prompt.",
  output_ratio: "Answers have grown: look at max_tokens and at the reasoning effort; a cap per ticket bounds it until then.",
  tickets: "More tickets come in: hold half of the concurrency and rate until a person has decided on the volume.",
  price: "The price has changed: look at the model's price, its tier and what is batched.",
  new_models: "Requests went to a model that was not used before: look at the routes.",
};

/** What a person does about the strongest factor of a rise. */
export function adviceOf(factor: CostFactor): string {
  return advice[factor];
}
