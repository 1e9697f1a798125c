import type { TokenPartition } from "../../../../packages/sdk/src/wire/usage.ts";
import { anomaly, type ClaimedUsage, type DerivedCount, partitionOf, type UsageAnomalyResult } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { readTerms } from "./read-terms.ts";
import { anthropicWrites } from "./read-writes.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** `usage` of Anthropic's Messages: `input_tokens` is the uncached remainder only. https://platform.claude.com/docs/en/api/messages */
export const anthropicMessages: ShapeReader = {
  shape: "anthropic-messages",
  needs: ["input_tokens", "output_tokens"],
  notFrom: ["openai", "google", "mistral", "cohere", "xai", "ollama"],
  read(source) {
    const whole = { ...readCounts(source), terms: readTerms(source) };
    const iterations = source.children("iterations");
    return iterations.length === 0 ? whole : sumOfIterations(whole, iterations);
  },
};

function readCounts(source: UsageSource): ClaimedUsage {
  const uncached = source.count("input_tokens");
  const read = source.count("cache_read_input_tokens") ?? 0;
  const { parts, derived } = anthropicWrites(source.count("cache_creation_input_tokens"), source.child("cache_creation"));
  const details = source.child("output_tokens_details");
  const [thinking, reasoning] = [details.count("thinking_tokens"), details.count("reasoning_tokens")];
  const same: DerivedCount[] = thinking === undefined ? [] : [{ name: "reasoning_tokens", value: reasoning, allowed: [thinking] }];
  return {
    uncached,
    read,
    ...parts,
    output: source.count("output_tokens") ?? 0,
    reasoning: thinking ?? reasoning,
    derived: [...derived, ...same],
  };
}

const parts = [
  "uncached",
  "read",
  "write5m",
  "write30m",
  "write1h",
  "write12h",
  "output",
] as const satisfies readonly (keyof TokenPartition)[];

/**
 * A request that compacted its context is billed for every iteration, while the counts above them are those of the messages alone.
 * An iteration of another type may have another model and price.
 */
function sumOfIterations(whole: ClaimedUsage, iterations: readonly UsageSource[]): ClaimedUsage | UsageAnomalyResult {
  const read = iterations.map((iteration) => ({ type: iteration.text("type"), claimed: readCounts(iteration) }));
  const other = read.find(({ type }) => type !== "message" && type !== "compaction");
  if (other !== undefined)
    return anomaly("unread_count", `an iteration is of type ${(other.type ?? "").slice(0, 40)}, whose price is not part of it`);
  const faulty = [whole, ...read.map(({ claimed }) => claimed)].map(partitionOf).find(({ kind }) => kind === "anomaly");
  if (faulty?.kind === "anomaly") return faulty;
  const messages = read.filter(({ type }) => type === "message").map(({ claimed }) => claimed);
  const derived = parts.map((part) => ({
    name: `${part} above the iterations`,
    value: whole[part] ?? 0,
    allowed: [
      messages.at(-1)?.[part] ?? 0,
      sumOf(messages, part),
      sumOf(
        read.map(({ claimed }) => claimed),
        part,
      ),
    ],
  }));
  const sums = Object.fromEntries(
    parts.map((part) => [
      part,
      sumOf(
        read.map(({ claimed }) => claimed),
        part,
      ),
    ]),
  );
  return { ...whole, ...sums, output: sums["output"] ?? 0, derived };
}

function sumOf(claims: readonly ClaimedUsage[], part: (typeof parts)[number]): number {
  return claims.reduce((sum, claim) => sum + (claim[part] ?? 0), 0);
}
