import { type UsageShape, usageShapes } from "../../../packages/sdk/src/wire/usage.ts";
import { vendorOf } from "./provider-vendor.ts";
import { aiSdk } from "./shapes/ai-sdk.ts";
import { aiSdkProvider } from "./shapes/ai-sdk-provider.ts";
import { anthropicMessages } from "./shapes/anthropic-messages.ts";
import { bedrockConverse } from "./shapes/bedrock-converse.ts";
import { cohere, cohereCamelCase } from "./shapes/cohere.ts";
import { embeddings } from "./shapes/embeddings.ts";
import { gemini, geminiSnakeCase } from "./shapes/gemini.ts";
import { langChain } from "./shapes/langchain.ts";
import { mistral } from "./shapes/mistral.ts";
import { ollama } from "./shapes/ollama.ts";
import { openAiChat } from "./shapes/openai-chat.ts";
import { openAiResponses } from "./shapes/openai-responses.ts";
import { otel, otelFormerNames } from "./shapes/otel.ts";
import { partition } from "./shapes/partition.ts";
import { pydanticAi } from "./shapes/pydantic-ai.ts";
import type { ReadContext, ShapeReader } from "./shapes/usage-shape.ts";
import { anomaly, type PartitionResult, partitionOf, type UsageAnomalyResult } from "./token-partition.ts";
import { createUsageSource, isReadableUsage, type SourceRemains } from "./usage-source.ts";

const readers: readonly ShapeReader[] = [
  partition,
  anthropicMessages,
  openAiChat,
  openAiResponses,
  langChain,
  pydanticAi,
  aiSdk,
  aiSdkProvider,
  bedrockConverse,
  gemini,
  geminiSnakeCase,
  mistral,
  cohere,
  cohereCamelCase,
  ollama,
  embeddings,
  otel,
  otelFormerNames,
];

/** A partition with the shape that it was read from; an anomaly names the shape that came nearest, if any did. */
export type NormalizedUsage =
  | (Extract<PartitionResult, { readonly kind: "tokens" }> & { readonly shape: UsageShape })
  | (UsageAnomalyResult & { readonly shape?: UsageShape });

/** Nesting of usage objects in usage objects. */
const maxRawDepth = 2;

/**
 * One partition from a usage object as a provider or library wrote it. `provider` is OTel's name or a gateway's.
 * A shape is recognized by all of its members: a count that the shape does not use is an anomaly, and so is an object that two shapes read
 * differently. Never a guess.
 */
export function normalizeUsage(usage: unknown, provider: string, shape?: UsageShape): NormalizedUsage {
  return normalizeNested(usage, { provider, shape, depth: 0 });
}

interface Asked {
  readonly provider: string;
  readonly shape: UsageShape | undefined;
  readonly depth: number;
}

function normalizeNested(usage: unknown, { provider, shape, depth }: Asked): NormalizedUsage {
  if (usage === undefined || usage === null) return anomaly("missing_usage", "there is no usage object");
  if (!isReadableUsage(usage) || depth > maxRawDepth)
    return anomaly("unrecognised_shape", "the usage is no object, or one of a size that no library writes");
  const candidates = readers.filter((reader) => shape === undefined || reader.shape === shape);
  const given = new Set(createUsageSource(usage).keys());
  const complete = candidates.filter(({ needs }) => needs.every((key) => given.has(key)));
  if (complete.length === 0) return incomplete(candidates, given);
  const vendor = vendorOf(provider);
  const fitting = complete.filter(({ vendors, notFrom }) => vendors?.includes(vendor) !== false && notFrom?.includes(vendor) !== true);
  if (fitting.length === 0) {
    const names = [...new Set(complete.map((reader) => reader.shape))].join(", ");
    return anomaly("provider_mismatch", `${names} is not how ${provider.slice(0, 60)} writes usage; name the provider that answered`);
  }
  const context: ReadContext = {
    provider,
    vendor,
    normalize: (raw) => normalizeNested(raw, { provider, shape: undefined, depth: depth + 1 }),
  };
  return decide(fitting.map((reader) => readAs(reader, usage, context)));
}

interface Reading {
  readonly shape: UsageShape;
  readonly result: PartitionResult;
  readonly remains: SourceRemains;
}

function readAs(reader: ShapeReader, usage: object, context: ReadContext): Reading {
  const source = createUsageSource(usage);
  const claimed = reader.read(source, context);
  const remains = source.remains();
  const result = "kind" in claimed ? claimed : partitionOf(claimed);
  if (result.kind === "anomaly" || remains.texts.length === 0) return { shape: reader.shape, result, remains };
  return { shape: reader.shape, result: { ...result, terms: { ...result.terms, unread: remains.texts } }, remains };
}

/** The reading that uses every count. Several that agree are one. */
function decide(readings: readonly Reading[]): NormalizedUsage {
  const whole = readings.filter(({ remains }) => remains.counts.length === 0 && remains.faults.length === 0);
  if (whole.length === 0) return unread(readings);
  const fewestTexts = Math.min(...whole.map(({ remains }) => remains.texts.length));
  const best = whole.filter(({ remains }) => remains.texts.length === fewestTexts);
  const sure = best.some(({ result }) => result.kind === "tokens") ? best.filter(isSure) : best;
  // One that may be the sum of several requests comes first: it has no price where the sizes of the requests decide it.
  const [first, ...others] = sure.toSorted((a, b) => Number(maybeSum(b)) - Number(maybeSum(a)));
  if (first === undefined) return anomaly("unrecognised_shape", acceptedShapes);
  const differs = others.find(({ result }) => countsOf(result) !== countsOf(first.result));
  if (first.result.kind === "anomaly" || differs === undefined) return { ...first.result, shape: first.shape };
  return anomaly("ambiguous_shape", `${first.shape} and ${differs.shape} both fit and count differently; name the shape`);
}

function maybeSum({ result }: Reading): boolean {
  return result.kind === "tokens" && result.terms.isSum === true;
}

function countsOf(result: PartitionResult): string {
  return JSON.stringify(result.kind === "tokens" ? { ...result, terms: { ...result.terms, isSum: false } } : result);
}

/** Whether the reading counts something, or says that it cannot be told: a reading that merely does not add up is the wrong shape. */
function isSure({ result }: Reading): boolean {
  return result.kind === "tokens" || result.reason === "ambiguous_shape";
}

/** No shape uses all counts: the one that comes nearest says what is too much. */
function unread(readings: readonly Reading[]): NormalizedUsage {
  const problems = ({ remains }: Reading) => remains.counts.length + remains.faults.length;
  const [nearest] = readings.toSorted((a, b) => problems(a) - problems(b));
  if (nearest === undefined) return anomaly("unrecognised_shape", acceptedShapes);
  const { shape, remains } = nearest;
  if (remains.faults.length > 0)
    return { ...anomaly("not_a_count", `${remains.faults.join(", ")}; a count is a whole number from 0 to 10^10`), shape };
  const unreadCounts = remains.counts.join(", ");
  const detail = `${shape} has no ${unreadCounts}; report the provider's own usage object, or each count under a name that the shape has`;
  return { ...anomaly("unread_count", detail), shape };
}

function incomplete(candidates: readonly ShapeReader[], given: ReadonlySet<string>): NormalizedUsage {
  const begun = candidates.find(({ needs }) => needs.some((key) => given.has(key)));
  if (begun === undefined) return anomaly("unrecognised_shape", acceptedShapes);
  const missing = begun.needs.filter((key) => !given.has(key));
  return { ...anomaly("missing_count", `the object lacks ${missing.join(", ")}, which ${begun.shape} has`), shape: begun.shape };
}

const acceptedShapes = `accepted shapes are ${usageShapes.join(", ")}`;
