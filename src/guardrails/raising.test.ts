import { describe, expect, it } from "@jest/globals";
import { sha256 } from "../core/json.ts";
import { evaluateGuardrails } from "./evaluate-guardrails.ts";
import { defaultPolicy, type GuardFacts, type GuardrailCandidate, noFacts } from "./guardrail.ts";
import { blastRadius } from "./blast-radius.ts";
import { changeRate } from "./change-rate.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { flapHold } from "./flap-hold.ts";
import { defaultLimits, limitsOf } from "./limits.ts";
import { protectedTargets } from "./protected-targets.ts";
import { runRate } from "./run-rate.ts";
import { storm } from "./storm.ts";

const minute = 60_000;
const hour = 60 * minute;

function aRaise(change: Partial<GuardrailCandidate> = {}): GuardrailCandidate {
  return {
    mode: "auto",
    target: "budget/a",
    action: { name: "resume-batches", effect: "set", risk: "raises" },
    plan: { targets: ["budget/a"] },
    approved: false,
    raised: [],
    ...change,
  };
}

function facts(change: Partial<GuardFacts>): GuardFacts {
  return { ...noFacts, ...change };
}

it("never holds back what lowers risk, whatever has happened and whatever the limits are", () => {
  const nothing = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, 0]));
  const worst = { episodesInHour: 99, newEpisodes: 99_999, failures: [1, 2, 3, 4] };
  const policy = { limits: limitsOf(nothing), protectedTargets: ["budget/*"] };
  const stop = aRaise({
    action: { name: "pause-batches", effect: "set", risk: "lowers" },
    plan: { targets: ["budget/a", "budget/b"] },
    raised: ["budget/c"],
  });
  const verdict = evaluateGuardrails(stop, 5, worst, policy);
  expect(verdict.kind).toBe("allow");
  expect(verdict.kind === "allow" && verdict.claims.every((claim) => "lock" in claim)).toBe(true);
});

describe("change rate", () => {
  it("counts the action and each target", () => {
    expect(changeRate(aRaise(), 0, noFacts, defaultPolicy)).toEqual({
      kind: "allow",
      claims: [
        { bucket: "change-rate:action:resume-batches", max: 20, windowMs: hour, amount: 1 },
        { bucket: `change-rate:target:${sha256("budget/a")}`, max: 3, windowMs: hour, amount: 1 },
      ],
    });
  });

  it("counts a target once per run, so that the steps of one run do not use up the hour", () => {
    const verdict = changeRate(aRaise({ raised: ["budget/a"] }), 0, noFacts, defaultPolicy);
    expect(verdict).toMatchObject({ claims: [{ bucket: "change-rate:action:resume-batches" }] });
  });
});

describe("blast radius", () => {
  it.each([
    [["budget/a"], [], 1, "allow"],
    [["budget/a"], ["budget/a"], 1, "allow"],
    [["budget/a", "budget/a"], [], 1, "allow"],
    [["budget/a", "budget/b"], [], 1, "refuse"],
    [["budget/b"], ["budget/a"], 1, "refuse"],
    [["budget/b"], ["budget/a"], 2, "allow"],
    [["budget/a"], [], 0, "refuse"],
  ] as const)("raising %j after %j with a limit of %d is answered %s", (targets, raised, limit, kind) => {
    const policy = { ...defaultPolicy, limits: limitsOf({ targets_per_run: limit }) };
    expect(blastRadius(aRaise({ plan: { targets }, raised }), 0, noFacts, policy).kind).toBe(kind);
  });

  it("does not become wider by a person's permission", () => {
    const wide = aRaise({ plan: { targets: ["budget/a", "budget/b"] }, approved: true });
    expect(blastRadius(wide, 0, noFacts, defaultPolicy)).toMatchObject({ kind: "refuse", guardrail: "blast-radius" });
  });

  it("counts what is new within the hour", () => {
    const policy = { ...defaultPolicy, limits: limitsOf({ targets_per_run: 5 }) };
    const verdict = blastRadius(
      aRaise({ plan: { targets: ["budget/a", "budget/b", "budget/c"] }, raised: ["budget/c"] }),
      0,
      noFacts,
      policy,
    );
    expect(verdict).toEqual({ kind: "allow", claims: [{ bucket: "blast-radius:hour", max: 20, windowMs: hour, amount: 2 }] });
  });
});

describe("protected targets", () => {
  it.each([
    ["budget/a", ["budget/a"], "refuse"],
    ["budget/a", ["budget/*"], "refuse"],
    ["budget/ab", ["budget/a"], "allow"],
    ["budgets/a", ["budget/*"], "allow"],
    ["budget/a", [], "allow"],
  ] as const)("%s under %j is answered %s, also with a person's permission", (target, patterns, kind) => {
    const policy = { ...defaultPolicy, protectedTargets: patterns };
    for (const approved of [true, false])
      expect(protectedTargets(aRaise({ target: undefined, plan: { targets: [target] }, approved }), 0, noFacts, policy).kind).toBe(kind);
  });

  it("covers the run's own target", () => {
    const policy = { ...defaultPolicy, protectedTargets: ["budget/a"] };
    expect(protectedTargets(aRaise({ plan: { targets: ["gateway/x"] } }), 0, noFacts, policy).kind).toBe("refuse");
  });
});

describe.each([
  ["flap hold", flapHold, (count: number) => facts({ episodesInHour: count }), 3],
  ["storm", storm, (count: number) => facts({ newEpisodes: count }), 50],
] as const)("%s", (_name, guardrail, having, limit) => {
  it.each([
    [0, false, "allow"],
    [limit, false, "allow"],
    [limit + 1, false, "ask"],
    [limit + 1, true, "allow"],
  ] as const)("after %d episodes with permission %s answers %s", (count, approved, kind) => {
    expect(guardrail(aRaise({ approved }), 0, having(count), defaultPolicy).kind).toBe(kind);
  });
});

describe("circuit breaker", () => {
  const at = (...minutes: number[]) => facts({ failures: minutes.map((one) => one * minute) });

  it.each([
    ["closed after two failures", [0, 1], 2, false, "allow"],
    ["closed after three failures that are far apart", [0, 20, 40], 41, false, "allow"],
    ["open after three within half an hour", [0, 10, 30], 31, false, "refuse"],
    ["open for a person's permission too", [0, 10, 30], 31, true, "refuse"],
    ["open until half an hour after the last", [0, 1, 2], 31.9, false, "refuse"],
    ["half-open after that: a person decides", [0, 1, 2], 32, false, "ask"],
    ["half-open and permitted", [0, 1, 2], 32, true, "allow"],
    ["open again when the permitted attempt fails", [0, 1, 2, 32], 61, false, "refuse"],
    ["open again after three more", [0, 1, 2, 40, 41, 42], 43, false, "refuse"],
  ] as const)("is %s", (_name, failures, now, approved, kind) => {
    expect(circuitBreaker(aRaise({ approved }), now * minute, at(...failures), defaultPolicy).kind).toBe(kind);
  });

  it("says when waiting helps", () => {
    expect(circuitBreaker(aRaise(), 3 * minute, at(0, 1, 2), defaultPolicy)).toMatchObject({ retryAt: 32 * minute });
  });
});

describe("run rate", () => {
  it("counts a start for its runbook and for all", () => {
    expect(runRate({ runbookId: "deploy", risks: ["none", "raises"] }, defaultLimits)).toEqual({
      kind: "allow",
      claims: [
        { bucket: "run-rate:deploy", max: 6, windowMs: hour, amount: 1 },
        { bucket: "run-rate::all", max: 30, windowMs: hour, amount: 1 },
      ],
    });
  });

  it.each([
    ["only looks", ["none"]],
    ["only stops something", ["lowers"]],
    ["stops before it raises", ["lowers", "raises"]],
    ["is done by people", []],
  ] as const)("does not count a runbook that %s", (_name, risks) => {
    expect(runRate({ runbookId: "cost", risks }, defaultLimits)).toEqual({ kind: "allow", claims: [] });
  });
});

describe("limits", () => {
  it("are what is configured, and a runbook can only lower them", () => {
    expect(limitsOf({ targets_per_run: 4 }, { targets_per_run: 9 }).targets_per_run).toBe(4);
    expect(limitsOf({ targets_per_run: 4 }, { targets_per_run: 2 }).targets_per_run).toBe(2);
    expect(limitsOf({}, { runs_per_hour: 1_000_000 }).runs_per_hour).toBe(30);
    expect(limitsOf({}, {})).toEqual(defaultLimits);
  });
});
