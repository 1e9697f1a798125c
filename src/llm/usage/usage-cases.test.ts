import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type UsageCase, usageCases } from "../../../test/builders/usage-cases.ts";
import { costOf } from "./cost-of.ts";
import { normalizeUsage } from "./normalize-usage.ts";
import { createPriceTable } from "./price-table.ts";
import { shippedPrices } from "./prices.ts";
import { noTokens } from "./token-partition.ts";

const prices = createPriceTable(shippedPrices);
const at = Date.UTC(2026, 10, 1);

/** What a usage object comes to: tokens and cost, or a named reason. */
function outcomeOf({ provider, model }: Pick<UsageCase, "provider" | "model">, usage: unknown) {
  const result = normalizeUsage(usage, provider);
  if (result.kind === "anomaly") return { anomaly: result.reason };
  const cost = costOf(result.tokens, prices.find(provider, model, at), result.terms);
  const terms = JSON.stringify(result.terms);
  return cost.kind === "priced"
    ? { tokens: result.tokens, terms, costMicroUsd: cost.costMicroUsd }
    : { tokens: result.tokens, terms, unpriced: cost.reason };
}

describe("usage objects of clients, gateways and instrumentations", () => {
  it.each(usageCases.map((one) => [one.name, one] as const))("%s", (_name, one) => {
    const { expected } = one;
    const wanted = "anomaly" in expected ? expected : { ...expected, tokens: { ...noTokens, ...expected.tokens } };
    const { terms: _, ...outcome } = { terms: "", ...outcomeOf(one, one.usage) };
    expect(outcome).toEqual(wanted);
  });

  it("names what to report instead when a shape leaves the price open", () => {
    const result = normalizeUsage({ inputTokens: 210, outputTokens: 620, totalTokens: 830, cachedInputTokens: 31_000 }, "anthropic");
    expect(result).toMatchObject({ reason: "ambiguous_shape", detail: expect.stringContaining("AI SDK 5") });
    expect(result).toMatchObject({ detail: expect.stringContaining("providerMetadata.anthropic.usage") });
  });

  it("names the count that no shape has, without anything else of the object", () => {
    const result = normalizeUsage({ input_tokens: 1, output_tokens: 2, "cache<b>_tokens": 3 }, "anthropic");
    expect(result).toMatchObject({ reason: "unread_count", detail: expect.stringContaining("cache?b?_tokens") });
  });

  it("does not read an object of a size that no library writes", () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`n${index}`, index]));
    expect(normalizeUsage({ input_tokens: 1, output_tokens: 1, wide }, "anthropic")).toMatchObject({ reason: "unrecognised_shape" });
  });
});

/** A count somewhere in an object, by the keys that lead to it. */
type Path = readonly (string | number)[];

function countsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value === "number") return value === 0 ? [] : [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => countsOf(member, [...path, key]));
}

/** A copy of the object in which `change` was done to the holder of one count. */
function altered(
  usage: object,
  path: Path,
  change: (holder: Record<string, unknown>, key: string, top: Record<string, unknown>) => void,
): object {
  const copy: Record<string, unknown> = structuredClone({ ...usage });
  let holder: Record<string, unknown> = copy;
  for (const key of path.slice(0, -1)) holder = Object(holder[key]);
  change(holder, String(path.at(-1)), copy);
  return copy;
}

const changes = {
  renamed: (holder: Record<string, unknown>, key: string) => {
    holder[`${key}_x`] = holder[key];
    delete holder[key];
  },
  nested: (holder: Record<string, unknown>, key: string) => {
    holder["inner"] = { [key]: holder[key] };
    delete holder[key];
  },
  "moved to the top": (holder: Record<string, unknown>, key: string, top: Record<string, unknown>) => {
    const value = holder[key];
    delete holder[key];
    top[key] = value;
  },
  "joined by an unknown count": (holder: Record<string, unknown>) => {
    holder["new_kind_of_tokens"] = 77;
  },
  "joined by an unknown word": (holder: Record<string, unknown>) => {
    holder["new_mode"] = "turbo";
  },
  "a text": (holder: Record<string, unknown>, key: string) => {
    holder[key] = String(holder[key]);
  },
  negative: (holder: Record<string, unknown>, key: string) => {
    holder[key] = -Number(holder[key]);
  },
  fractional: (holder: Record<string, unknown>, key: string) => {
    holder[key] = Number(holder[key]) + 0.5;
  },
  "no number": (holder: Record<string, unknown>, key: string) => {
    holder[key] = Number.NaN;
  },
  huge: (holder: Record<string, unknown>, key: string) => {
    holder[key] = 1e30;
  },
} as const;

/** Counts that never change a price, wherever they are: times, and what the provider does not bill. */
const unbilled = /duration|^tokens$/;

describe("a usage object that is not quite what a library writes", () => {
  const known = usageCases.filter(({ expected, usage }) => "tokens" in expected && !Object.keys(usage).some((key) => key === "raw"));
  const anyCase = fc.constantFrom(...known);

  it.each(Object.entries(changes))("costs the same or says why it has no cost: a count is %s", (_name, change) => {
    fc.assert(
      fc.property(anyCase, fc.nat(), (one, pick) => {
        const paths = countsOf(one.usage).filter((path) => !path.some((key) => unbilled.test(String(key))));
        const path = paths[pick % paths.length] ?? [];
        const [before, after] = [outcomeOf(one, one.usage), outcomeOf(one, altered(one.usage, path, change))];
        const isNamed =
          "anomaly" in after || after.terms.includes('"unread"') || ("unpriced" in after && after.unpriced !== "unknown_model");
        expect(isNamed ? before : after).toEqual(before);
      }),
      { seed: 16, numRuns: 2000 },
    );
  });

  it("has no cost when a total is not the sum", () => {
    // Gemini's own OpenAI form counts the thoughts in the total alone.
    const totals = known
      .filter(({ provider, usage }) => !(provider === "gcp.gemini" && "total_tokens" in usage))
      .flatMap((one) => Object.keys(one.usage).flatMap((key) => (/total_?tokens?(?:_?count)?$/i.test(key) ? [{ one, key }] : [])));
    const outcomes = totals.map(({ one, key }) => outcomeOf(one, { ...one.usage, [key]: Number(one.usage[key]) + 13 }));
    expect(outcomes.length).toBeGreaterThan(15);
    expect(outcomes.filter((outcome) => !("anomaly" in outcome))).toEqual([]);
  });

  it("gives parts that sum to what was sent, whatever lies in it", () => {
    fc.assert(
      fc.property(anyCase, fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue(), { maxKeys: 4 }), (one, more) => {
        const result = normalizeUsage({ ...more, ...one.usage }, one.provider);
        if (result.kind === "anomaly") return;
        for (const part of Object.values(result.tokens)) expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
        expect(result.tokens.reasoning).toBeLessThanOrEqual(result.tokens.output);
      }),
      { seed: 16, numRuns: 1000 },
    );
  });
});
