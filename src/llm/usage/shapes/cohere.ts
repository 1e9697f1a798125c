import { priceTerms } from "./read-terms.ts";
import type { ShapeReader } from "./usage-shape.ts";

/** `usage` of Cohere's chat: the billed units are what is paid for, and `tokens` counts the template too. https://docs.cohere.com/reference/chat */
export const cohere: ShapeReader = cohereReader({
  billed: "billed_units",
  input: "input_tokens",
  output: "output_tokens",
  searches: "search_units",
});

/** The same as Cohere's client for TypeScript writes it. */
export const cohereCamelCase: ShapeReader = cohereReader({
  billed: "billedUnits",
  input: "inputTokens",
  output: "outputTokens",
  searches: "searchUnits",
});

function cohereReader(names: {
  readonly billed: string;
  readonly input: string;
  readonly output: string;
  readonly searches: string;
}): ShapeReader {
  return {
    shape: "cohere",
    needs: [names.billed],
    vendors: ["cohere", "other"],
    read(source) {
      const billed = source.child(names.billed);
      // What version 1 of the interface puts beside the counts.
      source.skip("tokens", "apiVersion", "api_version");
      return {
        uncached: billed.count(names.input) ?? 0,
        output: billed.count(names.output) ?? 0,
        terms: priceTerms({ tools: { search_unit: billed.count(names.searches) ?? 0 } }),
      };
    },
  };
}
