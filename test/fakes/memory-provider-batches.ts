import { createBatchEngine, type EngineBatch, type EngineOutcome } from "../../demo/simulators/provider-batches/batch-engine.ts";
import { createQuirkSet } from "../../demo/simulators/provider-batches/batch-quirk.ts";
import type { Clock } from "../../src/core/clock.ts";
import {
  type ItemErrorClass,
  type ItemOutcome,
  type ProviderBatches,
  type ProviderBatchStatus,
  ProviderFailure,
  type ProviderResult,
} from "../../src/llm/batches/provider/provider-batch.ts";
import { noTokens } from "../../src/llm/usage/token-partition.ts";
import type { ProviderBench } from "../contracts/describe-provider-batches.ts";

interface Answer {
  readonly id: string;
}

const classes: { readonly [Error in Extract<EngineOutcome<Answer>, { kind: "errored" }>["error"]]: ItemErrorClass } = {
  overloaded: "provider_overload",
  rate_limited: "provider_rate_limit",
  spend_limited: "provider_spend_limit",
  server_error: "provider_error",
  invalid: "invalid_request",
};

/** The port in memory. It counts late and remembers keys. Every answer uses 1000 and 100 tokens of `claude-sonnet-4-5`. */
export function createMemoryProviderBatches(clock: Clock & { advance(ms: number): Promise<void> }): ProviderBench {
  const quirks = createQuirkSet();
  const costMicroUsd = 2250;
  let answers = 0;
  const engine = createBatchEngine<Answer>({
    prefix: "mem_",
    clock,
    quirks,
    seed: 1,
    durationMs: 2000,
    cancelMs: 500,
    refuses: "items",
    answer(_body, _random, refuse) {
      answers += 1;
      return { kind: "answered", answer: { id: `${refuse ? "refused" : "answer"}-${answers}` }, model: "claude-sonnet-4-5", costMicroUsd };
    },
  });
  const guard = () => {
    if (quirks.has("rate_limited")) throw new ProviderFailure("rate_limited", "memory answered 429", 7000);
    if (quirks.has("overloaded")) throw new ProviderFailure("unavailable", "memory answered 529");
  };
  const find = (id: string): EngineBatch<Answer> => {
    guard();
    const batch = engine.find(id);
    if (batch === undefined) throw new ProviderFailure("missing", "memory knows no such batch");
    if (quirks.has("nonsense")) throw new ProviderFailure("nonsense", "memory answered something else");
    return batch;
  };
  const statusOf = (batch: EngineBatch<Answer>): ProviderBatchStatus => ({
    id: batch.id,
    state: batch.endedAt !== undefined ? "ended" : batch.cancelledAt === undefined ? "running" : "cancelling",
    items: batch.items.length,
    ...(batch.endedAt !== undefined && { endedItems: batch.items.length, endedAt: batch.endedAt }),
    createdAt: batch.createdAt,
    expiresAt: batch.expiresAt,
    faults: [],
  });

  const port: ProviderBatches = {
    provider: "anthropic",
    async submit({ key, items }) {
      guard();
      if (quirks.has("spend_limited")) throw new ProviderFailure("spend_limited", "memory answered 429");
      if (new Set(items.map(({ customId }) => customId)).size < items.length) throw new ProviderFailure("invalid", "memory answered 400");
      const batch = engine.create(items, key);
      if (quirks.has("lost_answer")) throw new ProviderFailure("unknown_outcome", "memory lost the answer");
      return batch.id;
    },
    async find({ key }) {
      guard();
      const batch = engine.list().find(({ label }) => label === key);
      return batch === undefined ? { kind: "none" } : { kind: "found", id: batch.id };
    },
    read: async (id) => statusOf(find(id)),
    async *results(id) {
      const batch = find(id);
      if (batch.endedAt === undefined) throw new ProviderFailure("not_ready", "memory: the batch has not ended");
      for (const [index, item] of engine.results(batch).entries()) {
        const result: ProviderResult =
          item === null
            ? { kind: "unreadable", line: index + 1, detail: "no JSON" }
            : { kind: "item", customId: item.customId, outcome: outcomeOf(item.outcome) };
        yield result;
      }
    },
    async cancel(id) {
      engine.cancel(find(id));
    },
  };
  const billed = () => engine.billed(0, Number.POSITIVE_INFINITY).reduce((sum, row) => sum + row.costMicroUsd, 0);
  return {
    port,
    costs: { provider: "anthropic", batchCost: async (from, until) => engine.billed(from, until).length * costMicroUsd },
    clock,
    pass: async (ms) => clock.advance(ms),
    inject: (quirk) => quirks.inject(quirk),
    created: () => engine.list().length,
    billedMicroUsd: billed,
    bodyOf: (text) => ({ text }),
    refuses: "items",
    namesBatches: true,
  };
}

function outcomeOf(outcome: EngineOutcome<Answer> | undefined): ItemOutcome {
  if (outcome === undefined) return { kind: "expired" };
  if (outcome.kind === "errored") return { kind: "errored", errorClass: classes[outcome.error], message: outcome.message };
  if (outcome.kind !== "answered") return { kind: outcome.kind };
  return {
    kind: "succeeded",
    model: outcome.model,
    usage: { kind: "tokens", tokens: { ...noTokens, uncached: 1000, output: 100 }, terms: {} },
    isRefusal: outcome.answer.id.startsWith("refused"),
    answerId: outcome.answer.id,
    answer: { id: outcome.answer.id },
  };
}
