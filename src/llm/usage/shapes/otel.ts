import { anomaly, type DerivedCount } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { priceTerms } from "./read-terms.ts";
import { summedWrites } from "./read-writes.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** Attributes of an OpenTelemetry GenAI span: the current names, the older ones, OpenLLMetry's and pydantic-ai's. The input is the whole prompt. */
export const otel: ShapeReader = otelReader("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens");

/** The same with the names that the conventions had before. */
export const otelFormerNames: ShapeReader = otelReader("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens");

/** One quantity under every name that instrumentations give it. */
const names = {
  input: ["input_tokens", "prompt_tokens"],
  output: ["output_tokens", "completion_tokens"],
  read: [
    "cache_read.input_tokens",
    "cache_read_input_tokens",
    "cache_read_tokens",
    "input_tokens.cached",
    "details.cache_read_tokens",
    "details.cache_read_input_tokens",
    "details.cached_tokens",
  ],
  written: [
    "cache_creation.input_tokens",
    "cache_write.input_tokens",
    "cache_creation_input_tokens",
    "cache_write_tokens",
    "details.cache_write_tokens",
    "details.cache_creation_input_tokens",
  ],
  reasoning: ["reasoning.output_tokens", "reasoning_tokens", "output_tokens.reasoning", "details.reasoning_tokens"],
} as const;

const totals = ["gen_ai.usage.total_tokens", "llm.usage.total_tokens"];
const cachedCounts = ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"];

function otelReader(input: string, output: string): ShapeReader {
  return {
    shape: "otel",
    needs: [input, output],
    read(source, { vendor }) {
      if (vendor === "anthropic" && totals.some((key) => source.has(key)) && cachedCounts.some((key) => (source.count(key) ?? 0) > 0)) {
        source.skip(...source.keys());
        return anomaly(
          "ambiguous_shape",
          "OpenLLMetry counts Anthropic's cached tokens as input in Python and beside it in Node; report the provider's own usage object",
        );
      }
      source.skip("gen_ai.usage.cost");
      // A number under a name without a namespace is no attribute that a convention has: it is not passed over.
      const others = source.scalars().filter((name) => !isAboutUsage(name));
      source.skip(...others.filter((name) => name.includes(".")));
      for (const name of others) source.text(name);
      const [asked, made] = [one(source, names.input), one(source, names.output)];
      const [read, written, reasoning] = [one(source, names.read), one(source, names.written), one(source, names.reasoning)];
      const { parts } = summedWrites(written.value, vendor);
      const [total, formerTotal] = [source.count("gen_ai.usage.total_tokens"), source.count("llm.usage.total_tokens")];
      const [prompt, reads] = [asked.value ?? 0, read.value ?? 0];
      const uncached = prompt - reads - (written.value ?? 0);
      return {
        inputTotal: asked.value,
        read: reads,
        ...parts,
        output: made.value ?? 0,
        reasoning: reasoning.value,
        total: total ?? formerTotal,
        reasoningIs: "as_total_says",
        terms: priceTerms({
          serviceTier: source.text("openai.response.service_tier") ?? source.text("gen_ai.openai.response.service_tier"),
          audio: {
            input: source.count("gen_ai.usage.details.input_audio_tokens"),
            output: source.count("gen_ai.usage.details.output_audio_tokens"),
          },
        }),
        derived: [
          ...[asked, made, read, written, reasoning].flatMap(({ same }) => same),
          { name: "llm.usage.total_tokens", value: formerTotal, allowed: [total ?? formerTotal ?? 0] },
          {
            name: "gen_ai.usage.details.input_tokens",
            value: source.count("gen_ai.usage.details.input_tokens"),
            allowed: [prompt, uncached],
          },
          {
            name: "gen_ai.usage.details.output_tokens",
            value: source.count("gen_ai.usage.details.output_tokens"),
            allowed: [made.value ?? 0],
          },
        ],
      };
    },
  };
}

/** A span has many attributes. One that may be a count of tokens under a name of its own is not passed over. */
function isAboutUsage(attribute: string): boolean {
  return !attribute.startsWith("gen_ai.request.") && /usage|token|cach|search/i.test(attribute);
}

/** The first of the names that is given, and the check that the others say the same. */
function one(
  source: UsageSource,
  names: readonly string[],
): { readonly value: number | undefined; readonly same: readonly DerivedCount[] } {
  const given = names.map((name) => ({ name: `gen_ai.usage.${name}`, value: source.count(`gen_ai.usage.${name}`) }));
  const value = given.find((entry) => entry.value !== undefined)?.value;
  return { value, same: value === undefined ? [] : given.map((entry) => ({ ...entry, allowed: [value] })) };
}
