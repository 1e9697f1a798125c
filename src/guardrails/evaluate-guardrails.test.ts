import { describe, expect, it } from "@jest/globals";
import type { Verdict } from "../core/verdict.ts";
import { combineVerdicts, evaluateGuardrails } from "./evaluate-guardrails.ts";
import type { GuardrailCandidate } from "./guardrail.ts";
import { targetClaim } from "./target-lock.ts";

function aCandidate(change: Partial<GuardrailCandidate> = {}): GuardrailCandidate {
  return {
    runId: "run_1",
    mode: "auto",
    target: "budget/checkout",
    action: { name: "pause-batches", effect: "set", risk: "lowers" },
    plan: { targets: ["budget/checkout"], changes: [] },
    approved: false,
    raised: [],
    byMachine: true,
    ...change,
  };
}

const read = { name: "take-snapshot", effect: "read", risk: "none" } as const;
const mail = { name: "notify", effect: "keyed", risk: "none" } as const;

describe("mode", () => {
  it.each([
    ["observe", false, "refuse"],
    ["observe", true, "refuse"],
    ["approve", false, "ask"],
    ["approve", true, "allow"],
    ["auto", false, "allow"],
  ] as const)("in %s mode with approval %s answers %s to a mutation", (mode, approved, kind) => {
    expect(evaluateGuardrails(aCandidate({ mode, approved }), 0).kind).toBe(kind);
  });

  it.each([read, mail])("lets $name pass in every mode, without a claim", (action) => {
    for (const mode of ["observe", "approve", "auto"] as const) {
      expect(evaluateGuardrails(aCandidate({ mode, action, plan: { targets: [], changes: [] } }), 0)).toEqual({
        kind: "allow",
        claims: [],
      });
    }
  });

  it("names observe in its refusal", () => {
    expect(evaluateGuardrails(aCandidate({ mode: "observe" }), 0)).toMatchObject({
      guardrail: "mode",
      reason: expect.stringContaining("observe"),
    });
  });
});

describe("explicit targets", () => {
  it.each([
    [[]],
    [[""]],
    [["*"]],
    [["budget/*"]],
    [["budget/"]],
    [["budget/.*"]],
    [["budget/a,b"]],
    [["budget/{a}"]],
    [["budget/a", "budget/?"]],
    [["budget/a b"]],
    [[".."]],
  ])("refuses %j", (targets) => {
    expect(evaluateGuardrails(aCandidate({ plan: { targets, changes: [] } }), 0)).toMatchObject({
      kind: "refuse",
      guardrail: "explicit-targets",
    });
  });

  it.each([["budget/checkout"], ["https://gateway.example/key/block"], ["route/eu-west-1"]])("allows %s", (target) => {
    expect(evaluateGuardrails(aCandidate({ plan: { targets: [target], changes: [] } }), 0).kind).toBe("allow");
  });
});

describe("target lock", () => {
  it("is one for the run that an alert of a route starts and the run that changes this route", () => {
    const ofAlert = aCandidate({ target: "route/implement", plan: { targets: ["rollout/r_1"], changes: [] } });
    const changing = aCandidate({ target: undefined, plan: { targets: ["route/implement"], changes: [] } });
    const [claims, others] = [ofAlert, changing].map((candidate) => {
      const verdict = evaluateGuardrails(candidate, 0);
      return verdict.kind === "allow" ? verdict.claims : [];
    });
    expect(claims).toContainEqual(targetClaim("route/implement"));
    expect(others).toContainEqual(targetClaim("route/implement"));
  });

  it("claims the run's target and everything that the plan touches, each once", () => {
    expect(evaluateGuardrails(aCandidate({ plan: { targets: ["budget/checkout", "budget/search"], changes: [] } }), 0)).toEqual({
      kind: "allow",
      claims: [targetClaim("budget/checkout"), targetClaim("budget/search")],
    });
  });

  it("claims the run's target even when this plan touches another", () => {
    expect(evaluateGuardrails(aCandidate({ plan: { targets: ["budget/search"], changes: [] } }), 0)).toEqual({
      kind: "allow",
      claims: [targetClaim("budget/checkout"), targetClaim("budget/search")],
    });
  });

  it("claims what the plan touches when the run has no target", () => {
    expect(evaluateGuardrails(aCandidate({ target: undefined }), 0)).toEqual({ kind: "allow", claims: [targetClaim("budget/checkout")] });
  });

  it("never builds a key from the target's own text", () => {
    const claim = targetClaim("budget/}{rb}:due");
    expect("lock" in claim && claim.lock).toMatch(/^target:[0-9a-f]{64}$/);
  });
});

describe("combination", () => {
  const allow: Verdict = { kind: "allow", claims: [{ lock: "a" }] };
  const ask: Verdict = { kind: "ask", guardrail: "g", reason: "r" };
  const later: Verdict = { kind: "refuse", guardrail: "later", reason: "r", retryAt: 5 };
  const never: Verdict = { kind: "refuse", guardrail: "never", reason: "r" };

  it.each([
    ["refuse beats ask and allow", [allow, ask, never], never],
    ["ask beats allow", [allow, ask], ask],
    ["a refusal that waiting cannot lift beats one that it can", [later, never], never],
    ["nothing to say allows", [], { kind: "allow", claims: [] }],
  ] satisfies [string, Verdict[], Verdict][])("%s", (_name, verdicts, expected) => {
    expect(combineVerdicts(verdicts)).toEqual(expected);
  });

  it("merges the claims of all that allow", () => {
    const bucket = { bucket: "b", max: 1, windowMs: 1, amount: 1 };
    expect(combineVerdicts([allow, allow, { kind: "allow", claims: [bucket, bucket] }])).toEqual({
      kind: "allow",
      claims: [{ lock: "a" }, bucket, bucket],
    });
  });
});
