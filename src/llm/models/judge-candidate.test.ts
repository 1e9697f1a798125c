import { describe, expect, it } from "@jest/globals";
import type { ModelDescription } from "../../../packages/sdk/src/wire/models.ts";
import { dayMs } from "../../core/duration.ts";
import { judgeCandidate, refusalsOf, unfitReasons } from "./judge-candidate.ts";

const now = Date.UTC(2026, 10, 30);
const baseline = { provider: "anthropic", model: "claude-old" };
const use = { requests: 10, features: ["tools", "thinking"], largestTokens: 50_000 } as const;
const fit: ModelDescription = {
  provider: "anthropic",
  model: "claude-new",
  lifecycle: "active",
  overdue: false,
  contextTokens: 50_000,
  features: { tools: true, thinking: true },
  price: { input: 1, output: 1 },
  source: "provider",
  asOf: now - 7 * dayMs,
};

const { price: _price, ...unpriced } = fit;
const { contextTokens: _context, ...contextless } = fit;

describe("a candidate", () => {
  it("is fit when it exists, stays, is priced, and takes what the route's requests use", () => {
    expect(judgeCandidate(fit, { baseline, use }, now)).toEqual([]);
    expect(judgeCandidate({ ...fit, source: "table", asOf: now - 180 * dayMs }, { baseline, use }, now)).toEqual([]);
  });

  it.each([
    ["same_model", { ...fit, ...baseline }, "goes to anthropic/claude-old already"],
    ["unknown_model", { ...fit, lifecycle: "unknown", source: "none" }, "Neither"],
    ["retired", { ...fit, lifecycle: "retired", retiresAt: Date.UTC(2026, 9, 23) }, "is retired since 2026-10-23"],
    ["unpriced", unpriced, "has no price"],
    ["deprecated", { ...fit, lifecycle: "deprecated", retiresAt: Date.UTC(2027, 0, 14) }, "to be retired on 2027-01-14"],
    ["outdated", { ...fit, asOf: now - 8 * dayMs }, "8 days old"],
    ["outdated", { ...fit, source: "table", asOf: now - 181 * dayMs }, "181 days old"],
    ["context_unknown", contextless, "not known"],
    ["context_too_small", { ...fit, contextTokens: 49_999 }, "49999 tokens; the largest request of the route has 50000"],
    ["feature_missing", { ...fit, features: { tools: true, thinking: false } }, "uses thinking"],
    ["feature_unknown", { ...fit, features: { tools: true } }, "uses thinking"],
  ] as const)("is unfit: %s", (reason, candidate, sentence) => {
    expect(judgeCandidate(candidate, { baseline, use }, now)).toEqual([{ reason, sentence: expect.stringContaining(sentence) }]);
  });

  it("is unfit while no request of the route is known", () => {
    const none = { requests: 0, features: [], largestTokens: 0 };
    expect(judgeCandidate(fit, { baseline, use: none }, now).map(({ reason }) => reason)).toEqual(["no_requests"]);
  });

  it("may cost nothing when it is the same, unknown, retired or unpriced, whatever else is wrong", () => {
    const sentences = unfitReasons.map((reason) => ({ reason, sentence: "" }));
    expect(refusalsOf(sentences).map(({ reason }) => reason)).toEqual(["same_model", "unknown_model", "retired", "unpriced"]);
  });
});
