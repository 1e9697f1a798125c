import { anomaly } from "../token-partition.ts";
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
      source.skip("apiVersion", "api_version");
      const [input, output] = [billed.count(names.input), billed.count(names.output)];
      const tokens = source.child("tokens");
      const [read, made] = [tokens.count(names.input) ?? 0, tokens.count(names.output) ?? 0];
      source.skip("tokens");
      if ((input === undefined && read > 0) || (output === undefined && made > 0))
        return anomaly("missing_count", "there were tokens, and it is not said how many of them are billed");
      return {
        uncached: input ?? 0,
        output: output ?? 0,
        terms: priceTerms({ tools: { search_unit: billed.count(names.searches) ?? 0 } }),
      };
    },
  };
}
