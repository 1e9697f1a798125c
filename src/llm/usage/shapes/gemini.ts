import type { ModalTokens } from "../price-table.ts";
import type { DerivedCount } from "../token-partition.ts";
import type { UsageSource } from "../usage-source.ts";
import { priceTerms } from "./read-terms.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** `usageMetadata` of Gemini: the thoughts are beside the candidates. https://ai.google.dev/api/generate-content#UsageMetadata */
export const gemini: ShapeReader = geminiReader("gemini", (name) => name);

/** The same as Google's client for Python writes it. */
export const geminiSnakeCase: ShapeReader = geminiReader("gemini", (name) =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
);

function geminiReader(shape: "gemini", spelled: (name: string) => string): ShapeReader {
  return {
    shape,
    needs: [spelled("promptTokenCount"), spelled("totalTokenCount")],
    vendors: ["google", "vertex", "other"],
    read(source) {
      const count = (name: string) => source.count(spelled(name));
      const modal = (name: string) => readModalities(source.children(spelled(name)), spelled("tokenCount"));
      const [prompt, cached, tools] = [
        count("promptTokenCount") ?? 0,
        count("cachedContentTokenCount") ?? 0,
        count("toolUsePromptTokenCount") ?? 0,
      ];
      const [candidates, thoughts] = [count("candidatesTokenCount") ?? 0, count("thoughtsTokenCount") ?? 0];
      const [asked, held, made, used] = [
        modal("promptTokensDetails"),
        modal("cacheTokensDetails"),
        modal("candidatesTokensDetails"),
        modal("toolUsePromptTokensDetails"),
      ];
      const traffic = source.text(spelled("trafficType"));
      const isListed = traffic === undefined || traffic === "ON_DEMAND" || traffic === "TRAFFIC_TYPE_UNSPECIFIED";
      return {
        inputTotal: prompt + tools,
        read: cached,
        output: candidates,
        reasoning: thoughts,
        total: count("totalTokenCount"),
        reasoningIs: "beside",
        terms: priceTerms({
          ...(!isListed && { serviceTier: traffic }),
          // The prompt's details hold what was cached too.
          audio: modalOf("AUDIO", { asked, held, made, used }),
          image: { output: made.tokens.get("IMAGE") ?? 0 },
        }),
        derived: [
          sumOf("promptTokensDetails", asked, prompt),
          sumOf("cacheTokensDetails", held, cached),
          sumOf("candidatesTokensDetails", made, candidates),
        ],
      };
    },
  };
}

interface Modalities {
  readonly tokens: ReadonlyMap<string, number>;
  readonly sum: number | undefined;
}

function readModalities(entries: readonly UsageSource[], countKey: string): Modalities {
  const tokens = new Map<string, number>();
  for (const entry of entries) {
    const modality = entry.text("modality") ?? "";
    tokens.set(modality, (tokens.get(modality) ?? 0) + (entry.count(countKey) ?? 0));
  }
  return { tokens, sum: entries.length === 0 ? undefined : [...tokens.values()].reduce((sum, count) => sum + count, 0) };
}

function modalOf(
  modality: string,
  {
    asked,
    held,
    made,
    used,
  }: { readonly asked: Modalities; readonly held: Modalities; readonly made: Modalities; readonly used: Modalities },
): ModalTokens {
  const of = ({ tokens }: Modalities) => tokens.get(modality) ?? 0;
  return { input: Math.max(0, of(asked) - of(held)) + of(used), read: of(held), output: of(made) };
}

function sumOf(name: string, { sum }: Modalities, count: number): DerivedCount {
  return { name, value: sum, allowed: [count] };
}
