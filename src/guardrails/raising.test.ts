import { describe, expect, it } from "@jest/globals";
import { sha256 } from "../core/json.ts";
import { defaultLimits, limitsOf } from "../core/limits.ts";
import { blastRadius } from "./blast-radius.ts";
import { changeRate } from "./change-rate.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { evaluateGuardrails } from "./evaluate-guardrails.ts";
import { flapHold } from "./flap-hold.ts";
import { defaultPolicy, type GuardFacts, type GuardrailCandidate, noFacts } from "./guardrail.ts";
import { loop, reversalsBetweenRuns } from "./loop.ts";
import { protectedTargets } from "./protected-targets.ts";
import { runRate } from "./run-rate.ts";
import { storm } from "./storm.ts";
import { hashOf, parseChange } from "./target-change.ts";
import { targetChangeLog } from "./target-change-log.ts";
import { targetLock } from "./target-lock.ts";

const minute = 60_000;
const hour = 60 * minute;

function aRaise(change: Partial<GuardrailCandidate> = {}): GuardrailCandidate {
  return {
    runId: "run_1",
    mode: "auto",
    target: "budget/a",
    action: { name: "resume-batches", effect: "set", risk: "raises" },
    plan: { targets: ["budget/a"], changes: [] },
    approved: false,
    raised: [],
    byMachine: true,
    ...change,
  };
}

function facts(change: Partial<GuardFacts>): GuardFacts {
  return { ...noFacts, ...change };
}

it("never holds back what lowers risk, whatever has happened and whatever the limits are", () => {
  const nothing = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, 0]));
  const change = { at: 4, runId: "run_0", target: "budget/a", field: "gate", before: "x", after: "y" };
  const back = { ...change, runId: "run_9", before: "y", after: "x" };
  const worst = {
    episodesInHour: 99,
    newEpisodes: 99_999,
    failures: [1, 2, 3, 4],
    targetFailures: { "budget/a": [1, 2, 3, 4] },
    ineffectiveRuns: 9,
    changes: [change, back, change, back, change, back],
    fleet: { budget: 1 },
  };
  const policy = { limits: limitsOf(nothing), protectedTargets: ["budget/*"] };
  const stop = aRaise({
    action: { name: "pause-batches", effect: "set", risk: "lowers" },
    plan: { targets: ["budget/a", "budget/b"], changes: [] },
    raised: ["budget/c"],
  });
  const verdict = evaluateGuardrails(stop, 5, { facts: worst, policy });
  expect(verdict.kind).toBe("allow");
  expect(verdict.kind === "allow" && verdict.claims.every((claim) => "lock" in claim || "log" in claim)).toBe(true);
});

describe("change rate", () => {
  it("counts the action and each target", () => {
    expect(changeRate(aRaise(), { now: 0, facts: noFacts, policy: defaultPolicy })).toEqual({
      kind: "allow",
      claims: [
        { bucket: "change-rate:action:resume-batches", max: 20, windowMs: hour, amount: 1 },
        { bucket: `change-rate:target:${sha256("budget/a")}`, max: 3, windowMs: hour, amount: 1 },
      ],
    });
  });

  it("counts a target once per run, so that the steps of one run do not use up the hour", () => {
    const verdict = changeRate(aRaise({ raised: ["budget/a"] }), { now: 0, facts: noFacts, policy: defaultPolicy });
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
    expect(blastRadius(aRaise({ plan: { targets, changes: [] }, raised }), { now: 0, facts: noFacts, policy }).kind).toBe(kind);
  });

  it.each([
    [["command/restart"], ["https://a.example/x"], "allow"],
    [["https://a.example/x", "command/restart", "budget/a"], [], "allow"],
    [["route/implement"], ["prompt/implement", "command/restart"], "allow"],
    [["command/clean"], ["https://a.example/x", "command/restart"], "refuse"],
    [["https://a.example/pro%64"], ["https://A.example:443//prod/"], "allow"],
    [["https://b.example/x"], ["https://a.example/x"], "refuse"],
  ] as const)("of kinds that are counted apart: %j after %j is answered %s", (targets, raised, kind) => {
    const verdict = blastRadius(aRaise({ plan: { targets, changes: [] }, raised }), { now: 0, facts: noFacts, policy: defaultPolicy });
    expect(verdict.kind).toBe(kind);
    const reason = verdict.kind === "refuse" ? verdict.reason : "2 targets of kind http; targets_per_run permits 1";
    expect(reason).toMatch(/2 targets of kind (?:command|http); targets_per_run permits 1/u);
  });

  it("does not become wider by a person's permission", () => {
    const wide = aRaise({ plan: { targets: ["budget/a", "budget/b"], changes: [] }, approved: true });
    expect(blastRadius(wide, { now: 0, facts: noFacts, policy: defaultPolicy })).toMatchObject({
      kind: "refuse",
      guardrail: "blast-radius",
    });
  });

  it("counts what is new within the hour", () => {
    const policy = { ...defaultPolicy, limits: limitsOf({ targets_per_run: 5 }) };
    const verdict = blastRadius(aRaise({ plan: { targets: ["budget/a", "budget/b", "budget/c"], changes: [] }, raised: ["budget/c"] }), {
      now: 0,
      facts: noFacts,
      policy,
    });
    expect(verdict).toEqual({ kind: "allow", claims: [{ bucket: "blast-radius:hour", max: 20, windowMs: hour, amount: 2 }] });
  });
});

describe("blast radius as a share of the fleet", () => {
  const wide = { ...defaultPolicy, limits: limitsOf({ targets_per_run: 99, targets_per_hour: 99 }) };
  const budgets = (count: number) => Array.from({ length: count }, (_, index) => `budget/b${index}`);

  it.each([
    [1, 1, "allow"],
    [2, 1, "refuse"],
    [2, 19, "refuse"],
    [2, 20, "allow"],
    [10, 100, "allow"],
    [11, 100, "refuse"],
    [1, 0, "allow"],
  ] as const)("raising %d of %d is answered %s", (count, size, kind) => {
    const candidate = aRaise({ target: undefined, plan: { targets: budgets(count), changes: [] } });
    expect(blastRadius(candidate, { now: 0, facts: facts({ fleet: { budget: size } }), policy: wide }).kind).toBe(kind);
  });

  it("counts what the run has raised already, and claims the hour's quarter for what is new", () => {
    const candidate = aRaise({ plan: { targets: ["budget/b1", "budget/b2"], changes: [] }, raised: ["budget/b1"] });
    expect(blastRadius(candidate, { now: 0, facts: facts({ fleet: { budget: 40 } }), policy: wide })).toMatchObject({
      claims: [
        { bucket: "blast-radius:hour", amount: 1 },
        { bucket: "blast-radius:kind:budget", max: 10, amount: 1 },
      ],
    });
  });

  it("knows absolute numbers only for what cannot be counted", () => {
    const candidate = aRaise({ plan: { targets: ["service/a", "https://x/y"], changes: [] } });
    expect(blastRadius(candidate, { now: 0, facts: facts({ fleet: { budget: 1 } }), policy: wide })).toMatchObject({
      claims: [{ bucket: "blast-radius:hour" }],
    });
  });
});

describe("loop", () => {
  const by = (runId: string, at: number, before: string, after: string, field = "gate") => ({
    at,
    runId,
    target: "budget/a",
    field,
    before,
    after,
  });
  const now = 3 * hour;

  it.each(["pause-batches", "resume-batches"])("lets an alert about runbookd itself change nothing, not even by %s", (name) => {
    const risk = name === "pause-batches" ? "lowers" : "raises";
    const candidate = aRaise({ action: { name, effect: "set", risk }, alertName: "RunbookdDueLag", approved: true });
    expect(loop(candidate, { now, facts: noFacts, policy: defaultPolicy })).toMatchObject({ kind: "refuse", guardrail: "loop" });
    const read = aRaise({ action: { name: "take-snapshot", effect: "read", risk: "none" }, alertName: "RunbookdWatchdog" });
    expect(loop(read, { now, facts: noFacts, policy: defaultPolicy }).kind).toBe("allow");
  });

  it.each([
    ["another run, a moment ago", by("run_0", now - minute, "x", "y"), {}, "ask"],
    ["another run, 29 minutes ago", by("run_0", now - 29 * minute, "x", "y"), {}, "ask"],
    ["another run, 30 minutes ago", by("run_0", now - 30 * minute, "x", "y"), {}, "allow"],
    ["this run", by("run_1", now - minute, "x", "y"), {}, "allow"],
    ["another run, and a person started this one", by("run_0", now - minute, "x", "y"), { byMachine: false }, "allow"],
    ["another run, and a person permits it", by("run_0", now - minute, "x", "y"), { approved: true }, "allow"],
    ["another run on another target", { ...by("run_0", now - minute, "x", "y"), target: "budget/b" }, {}, "allow"],
    ["another run on the run's own target", by("run_0", now - minute, "x", "y"), { plan: { targets: ["gateway/x"], changes: [] } }, "ask"],
  ] as const)("of a change by %s", (_name, change, candidate, kind) => {
    expect(loop(aRaise(candidate), { now, facts: facts({ changes: [change] }), policy: defaultPolicy }).kind).toBe(kind);
  });

  it("asks when runs have set a field back for each other three times within two hours, also when a person started this one", () => {
    const long = (minutes: number) => now - 45 * minute - minutes * minute;
    const fight = [by("a", long(40), "x", "y"), by("b", long(30), "y", "x"), by("a", long(20), "x", "y"), by("b", long(10), "y", "x")];
    const verdict = loop(aRaise({ byMachine: false }), { now, facts: facts({ changes: fight }), policy: defaultPolicy });
    expect(verdict).toMatchObject({ kind: "ask", reason: expect.stringContaining("3 times") });
    expect(loop(aRaise({ byMachine: false }), { now, facts: facts({ changes: fight.slice(1) }), policy: defaultPolicy }).kind).toBe(
      "allow",
    );
    expect(loop(aRaise({ byMachine: false }), { now: now + 2 * hour, facts: facts({ changes: fight }), policy: defaultPolicy }).kind).toBe(
      "allow",
    );
  });

  it("counts neither what a run sets back itself, nor another field, nor a step further", () => {
    expect(reversalsBetweenRuns([by("a", 1, "x", "y"), by("a", 2, "y", "x")])).toBe(0);
    expect(reversalsBetweenRuns([by("a", 1, "x", "y"), by("b", 2, "y", "x", "limit")])).toBe(0);
    expect(reversalsBetweenRuns([by("a", 1, "x", "y"), by("b", 2, "y", "z"), by("c", 3, "z", "w")])).toBe(0);
    expect(reversalsBetweenRuns([by("a", 1, "x", "x"), by("b", 2, "x", "x")])).toBe(0);
    expect(reversalsBetweenRuns([by("a", 1, "x", "y"), by("b", 2, "y", "x")])).toBe(1);
  });
});

describe("change log", () => {
  const change = { target: "budget/}{rb}:due", field: "gate", before: "open", after: "paused" };

  it("has every announced change written with its intent, values as hashes and names of keys hashed", () => {
    const candidate = aRaise({
      action: { name: "pause-batches", effect: "set", risk: "lowers" },
      plan: { targets: [], changes: [change] },
    });
    const verdict = targetChangeLog(candidate, { now: 7, facts: noFacts, policy: defaultPolicy });
    const [claim] = verdict.kind === "allow" ? verdict.claims : [];
    if (claim === undefined || !("log" in claim)) throw new Error("nothing is logged");
    expect(claim.log).toMatch(/^changes:[0-9a-f]{64}$/);
    const entry = parseChange(claim.entry);
    expect(entry).toMatchObject({
      at: 7,
      runId: "run_1",
      target: change.target,
      field: "gate",
      before: hashOf("open"),
      after: hashOf("paused"),
    });
    expect(claim.entry).not.toContain("paused");
  });

  it("writes nothing about a read, nor about telling people", () => {
    const read = aRaise({ action: { name: "x", effect: "read", risk: "none" }, plan: { targets: [], changes: [change] } });
    expect(targetChangeLog(read, { now: 7, facts: noFacts, policy: defaultPolicy })).toEqual({ kind: "allow", claims: [] });
  });

  it.each(["", "{", "null", "7", '{"at":1}', '{"at":"1","runId":"a","target":"b","field":"c","before":"d","after":"e"}'])(
    "does not take %j for a change",
    (text) => {
      expect(parseChange(text)).toBeUndefined();
    },
  );
});

describe("protected targets", () => {
  it.each([
    ["budget/a", ["budget/a"], "refuse"],
    ["budget/a", ["budget/*"], "refuse"],
    ["budget/ab", ["budget/a"], "allow"],
    ["budgets/a", ["budget/*"], "allow"],
    ["budget/a", [], "allow"],
    ["https://gw.example/pools/pro%64", ["https://gw.example/pools/prod"], "refuse"],
    ["https://gw.example//pools//prod/", ["https://gw.example/pools/prod"], "refuse"],
    ["https://gw.example/pools%2Fprod", ["https://gw.example/pools/prod"], "refuse"],
    ["https://gw.example/pools/test/../prod", ["https://GW.example:443/pools/*"], "refuse"],
    ["https://gw.example/pools/", ["https://gw.example/pools/*"], "refuse"],
    ["https://gw.example/pools/prod", ["https://GW.example:443/pools//prod/"], "refuse"],
    ["https://gw.example/pool", ["https://gw.example/pools/*"], "allow"],
    ["budget/%61", ["budget/a"], "refuse"],
  ] as const)("%s under %j is answered %s, also with a person's permission", (target, patterns, kind) => {
    const policy = { ...defaultPolicy, protectedTargets: patterns };
    for (const approved of [true, false])
      expect(
        protectedTargets(aRaise({ target: undefined, plan: { targets: [target], changes: [] }, approved }), {
          now: 0,
          facts: noFacts,
          policy,
        }).kind,
      ).toBe(kind);
  });

  it("covers the run's own target", () => {
    const policy = { ...defaultPolicy, protectedTargets: ["budget/a"] };
    expect(protectedTargets(aRaise({ plan: { targets: ["gateway/x"], changes: [] } }), { now: 0, facts: noFacts, policy }).kind).toBe(
      "refuse",
    );
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
    expect(guardrail(aRaise({ approved }), { now: 0, facts: having(count), policy: defaultPolicy }).kind).toBe(kind);
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
    expect(circuitBreaker(aRaise({ approved }), { now: now * minute, facts: at(...failures), policy: defaultPolicy }).kind).toBe(kind);
  });

  it("is of an action on one target too, and lets exactly one permitted attempt through when it is half-open", () => {
    const one = facts({ targetFailures: { "budget/a": [0, 1 * minute, 2 * minute] } });
    expect(circuitBreaker(aRaise(), { now: 3 * minute, facts: one, policy: defaultPolicy })).toMatchObject({
      kind: "refuse",
      reason: expect.stringContaining("on budget/a"),
    });
    const half = circuitBreaker(aRaise({ approved: true }), { now: 33 * minute, facts: one, policy: defaultPolicy });
    expect(half).toEqual({
      kind: "allow",
      claims: [{ bucket: `circuit-breaker:trial:resume-batches:${sha256("budget/a")}`, max: 1, windowMs: 30 * minute, amount: 1 }],
    });
  });

  it.each([
    [1, false, "allow"],
    [2, false, "ask"],
    [2, true, "allow"],
  ] as const)("after %d runs in a row that did not help, permission %s: %s", (ineffectiveRuns, approved, kind) => {
    expect(circuitBreaker(aRaise({ approved }), { now: 0, facts: facts({ ineffectiveRuns }), policy: defaultPolicy }).kind).toBe(kind);
  });

  it("says when waiting helps", () => {
    expect(circuitBreaker(aRaise(), { now: 3 * minute, facts: at(0, 1, 2), policy: defaultPolicy })).toMatchObject({
      retryAt: 32 * minute,
    });
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

it("takes one lock, one rate and one log for every spelling of a target", () => {
  const spellings = ["https://gw.example/pools/prod", "https://GW.example:443/pools//pro%64/"];
  const claimsOf = (target: string) => {
    const change = { target, field: "weight", before: 1, after: 2 };
    const candidate = aRaise({ target, plan: { targets: [target], changes: [change] } });
    const verdicts = [targetLock, changeRate, targetChangeLog].map((guardrail) =>
      guardrail(candidate, { now: 7, facts: noFacts, policy: defaultPolicy }),
    );
    return verdicts.map((verdict) => (verdict.kind === "allow" ? verdict.claims : verdict));
  };
  expect(claimsOf(spellings[1] ?? "")).toEqual(claimsOf(spellings[0] ?? ""));
  expect(claimsOf("https://gw.example/pools/other")).not.toEqual(claimsOf(spellings[0] ?? ""));
});
