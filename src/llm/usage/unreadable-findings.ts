import type { Finding } from "../../../packages/sdk/src/wire/findings.ts";
import type { UsageEvent, UsageShape } from "../../../packages/sdk/src/wire/usage.ts";
import type { FindingSource } from "../../core/finding.ts";
import { isJsonObject, sha256 } from "../../core/json.ts";
import { formatUsd, oneUsd } from "../../core/money.ts";

/** Newest events that are looked through. */
const maxEvents = 5000;
/** Above this amount of estimates the finding is grave. */
const muchEstimated = 10 * oneUsd;

/** Who writes usage in a shape. */
const libraries: Readonly<Record<UsageShape, string>> = {
  "anthropic-messages": "Anthropic's API or client",
  "openai-chat": "OpenAI's API or client, or a gateway such as LiteLLM",
  "openai-responses": "OpenAI's Responses API or client",
  langchain: "LangChain",
  "pydantic-ai": "pydantic-ai",
  "ai-sdk": "the Vercel AI SDK",
  "ai-sdk-provider": "a provider of the Vercel AI SDK",
  "bedrock-converse": "Bedrock Converse",
  gemini: "Gemini's API or client",
  mistral: "Mistral's client",
  cohere: "Cohere's API or client",
  ollama: "Ollama",
  embeddings: "an API for embeddings",
  otel: "OpenTelemetry or OpenLLMetry",
  partition: "the application itself",
};

/** One finding for each provider, shape and reason of usage that could not be read or priced, the costliest first. Pure. */
export function unreadableFindings(events: readonly UsageEvent[]): readonly Finding[] {
  const groups = new Map<string, UsageEvent[]>();
  for (const event of events) {
    if (event.anomaly === undefined && event.unpriced === undefined) continue;
    const { provider, model, shape, anomaly, unpriced, usageKeys } = event;
    const key = JSON.stringify(anomaly === undefined ? [provider, model, unpriced] : [provider, shape, anomaly, usageKeys]);
    const group = groups.get(key) ?? [];
    group.push(event);
    groups.set(key, group);
  }
  return [...groups].map(([key, group]) => findingOf(key, group)).sort((a, b) => costOf(b) - costOf(a));
}

/** Findings of the newest usage. */
export function createUnreadableFindings(recent: (limit: number) => Promise<readonly UsageEvent[]>): FindingSource {
  return { findings: async () => unreadableFindings(await recent(maxEvents)) };
}

function findingOf(key: string, group: readonly UsageEvent[]): Finding {
  const newest = group.reduce((a, b) => (b.at > a.at ? b : a));
  const { provider, model, shape, anomaly, unpriced, usageKeys, detail = "" } = newest;
  const estimatedMicroUsd = group.reduce((sum, event) => sum + (event.estimated === undefined ? 0 : event.costMicroUsd), 0);
  const library = shape === undefined ? undefined : libraries[shape];
  return {
    id: `usage-${sha256(key).slice(0, 16)}`,
    kind: "cost",
    severity: estimatedMicroUsd >= muchEstimated ? "high" : "medium",
    title: `${titleOf(newest, library)}; ${formatUsd(estimatedMicroUsd)} of it is estimated. ${detail}`.trim(),
    at: newest.at,
    evidence: {
      provider,
      model,
      library: library ?? null,
      shape: shape ?? null,
      members: usageKeys ?? null,
      reason: anomaly ?? unpriced ?? null,
      reports: group.length,
      estimatedMicroUsd,
      newestId: newest.id,
    },
  };
}

function titleOf({ provider, model, shape, anomaly, unpriced, usageKeys }: UsageEvent, library: string | undefined): string {
  if (anomaly === "no_report") return "Turns were admitted and ended without any report of usage";
  if (anomaly === undefined) return `Usage of ${provider}/${model} has no price (${unpriced ?? "unknown"})`;
  const where = library === undefined ? "in no shape that is read" : `from ${library} (shape ${shape ?? "unknown"})`;
  return `Usage of ${provider} ${where} cannot be read (${anomaly})${usageKeys === undefined ? "" : `, with the members ${usageKeys}`}`;
}

function costOf({ evidence }: Finding): number {
  return isJsonObject(evidence) ? Number(evidence["estimatedMicroUsd"]) : 0;
}
