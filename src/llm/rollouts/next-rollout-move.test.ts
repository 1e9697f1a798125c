import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { anArm, aRolloutPlan, aStratum } from "../../../test/builders/rollout-counts.ts";
import { judgeRollout } from "./judge-rollout.ts";
import { type MovingRollout, nextRolloutMove, type RolloutFacts, rolloutReasons } from "./next-rollout-move.ts";

const plan = aRolloutPlan({ intervalMs: 100 });
const rollout: MovingRollout = { plan, state: "running", step: 1, stepSince: 1000 };
const equal = judgeRollout([aStratum(0, anArm(40, 32), anArm(760, 608)), aStratum(1, anArm(60, 48), anArm(540, 432))], plan);
const facts: RolloutFacts = { now: 1100, verdict: equal, recentExposures: 20, misassigned: 0, guard: { kind: "clear" } };
const unseen = { kind: "unseen", text: "no Prometheus" } as const;

/** Tickets of step 1 alone. */
const judged = (canary: ReturnType<typeof anArm>, baseline: ReturnType<typeof anArm>) =>
  judgeRollout([aStratum(1, canary, baseline)], plan);

describe("nextRolloutMove", () => {
  it.each<[string, Partial<RolloutFacts>, Partial<MovingRollout>, string, string, string]>([
    ["begins", {}, { state: "planned", step: -1 }, "advance", "begins", "first 5 %"],
    [
      "does not begin while a guard is broken",
      { guard: { kind: "broken", text: "ALERTS" } },
      { state: "planned", step: -1 },
      "stay",
      "guard",
      "ALERTS",
    ],
    [
      "does not begin while a guard cannot be checked",
      { guard: unseen },
      { state: "planned", step: -1 },
      "stay",
      "guard_unseen",
      "Prometheus",
    ],
    ["goes on when the next share times the harm is within the margin", {}, {}, "advance", "shown", "On to 25 %"],
    [
      "takes back what breaks a guard, at once",
      { guard: { kind: "broken", text: "ALERTS" }, now: 1001 },
      {},
      "roll_back",
      "guard",
      "ALERTS",
    ],
    [
      "takes a catastrophe back, at once",
      { verdict: judged(anArm(10, 3), anArm(100, 80)), now: 1001 },
      {},
      "roll_back",
      "catastrophe",
      "first 10",
    ],
    [
      "takes back what is shown to be worse",
      { verdict: judged(anArm(100, 40), anArm(900, 720)), now: 1001 },
      {},
      "roll_back",
      "quality_worse",
      "by 40.0 points",
    ],
    [
      "takes back what is shown to be dear",
      { verdict: judged(anArm(100, 80, { costMicroUsd: 150 }), anArm(900, 720)) },
      {},
      "roll_back",
      "cost_dear",
      "costs 150 %",
    ],
    [
      "takes harm back from a hold too",
      { verdict: judged(anArm(100, 40), anArm(900, 720)) },
      { state: "holding" },
      "roll_back",
      "quality_worse",
      "",
    ],
    ["holds when a ticket is in an arm that it cannot be in", { misassigned: 1 }, {}, "hold", "misassigned", "1 tickets"],
    [
      "goes on when a person accepted that ticket",
      { misassigned: 1, accepted: { misassigned: 1, logEvalue: 0 } },
      {},
      "advance",
      "shown",
      "",
    ],
    [
      "holds when the split is broken",
      { verdict: { ...equal, split: { logEvalue: 8, pValue: Math.exp(-8), broken: true } } },
      {},
      "hold",
      "split_broken",
      "chance 1 in 2981",
    ],
    [
      "goes on when a person accepted that split",
      { verdict: { ...equal, split: { logEvalue: 8, pValue: Math.exp(-8), broken: true } }, accepted: { misassigned: 0, logEvalue: 8 } },
      {},
      "advance",
      "shown",
      "",
    ],
    ["stays on hold", {}, { state: "holding" }, "stay", "held", "person"],
    ["stays where it ended", { verdict: judged(anArm(100, 40), anArm(900, 720)) }, { state: "promoted" }, "stay", "ended", "ended"],
    ["stays when no ticket has begun in the step", {}, { step: 2 }, "stay", "no_data", "No ticket"],
    ["stays when traffic has stopped", { recentExposures: 0 }, {}, "stay", "stale", "No new ticket"],
    ["stays when a guard cannot be checked", { guard: unseen }, {}, "stay", "guard_unseen", "no Prometheus"],
    ["stays before the step's time", { now: 1099 }, {}, "stay", "waiting_time", "at least 100ms"],
    [
      "stays with too few tickets in the step",
      { verdict: judgeRollout([aStratum(0, anArm(71, 57), anArm(760, 608)), aStratum(1, anArm(29, 23), anArm(540, 432))], plan) },
      {},
      "stay",
      "too_few",
      "29 canary",
    ],
    ["stays with too few tickets of the baseline", { verdict: judged(anArm(60, 48), anArm(29, 23)) }, {}, "stay", "too_few", "29 baseline"],
    [
      "stays while it is not shown",
      { verdict: judged(anArm(60, 48), anArm(540, 432)) },
      { step: 1, plan: { ...plan, steps: [0.05, 0.1, 0.9] } },
      "stay",
      "not_shown",
      "the margin is 10.0 points",
    ],
    [
      "leaves it to a person when many tickets have shown nothing",
      { verdict: judged(anArm(60, 48), anArm(540, 432)) },
      { plan: { ...plan, steps: [0.05, 0.1, 0.9], maxTickets: 600 } },
      "hold",
      "max_tickets",
      "600 tickets",
    ],
    [
      "stays while a cost is unknown",
      { verdict: { ...equal, cost: { kind: "unknown", because: "unpriced" } } },
      {},
      "stay",
      "cost_unknown",
      "no price",
    ],
    [
      "goes on without a cost where cost is no criterion",
      { verdict: { ...equal, cost: { kind: "unknown", because: "unpriced" } } },
      { plan: { ...plan, costLimit: null } },
      "advance",
      "shown",
      "",
    ],
    [
      "does not finish with what suffices for a quarter",
      {},
      { plan: { ...plan, steps: [0.05, 0.1] } },
      "stay",
      "not_shown",
      "100 % of the tickets",
    ],
  ])("%s", (_name, change, state, kind, reason, detail) => {
    expect(nextRolloutMove({ ...rollout, ...state }, { ...facts, ...change })).toMatchObject({
      kind,
      reason,
      detail: expect.stringContaining(detail),
    });
  });

  it("finishes when the harm to all tickets is within the margin", () => {
    const verdict = judged(anArm(600, 480), anArm(600, 480));
    expect(nextRolloutMove({ ...rollout, plan: { ...plan, steps: [0.05, 0.5] } }, { ...facts, verdict })).toMatchObject({
      kind: "finish",
      reason: "shown",
    });
  });

  it("does not hold for many tickets while only time or the step's tickets are missing", () => {
    const many = { plan: { ...plan, maxTickets: 30 } };
    expect(nextRolloutMove({ ...rollout, ...many }, { ...facts, now: 1001 }).reason).toBe("waiting_time");
    expect(nextRolloutMove({ ...rollout, ...many }, facts).kind).toBe("advance");
  });

  it.each<[string, Partial<RolloutFacts>, Partial<MovingRollout>]>([
    ["no_data", {}, { step: 2 }],
    ["stale", { recentExposures: 0 }, {}],
    ["guard_unseen", { guard: unseen }, {}],
    ["cost_unknown", { verdict: { ...equal, cost: { kind: "unknown", because: "unpriced" } } }, {}],
  ])("asks a person after six intervals without what it needs: %s", (reason, change, state) => {
    const at = (now: number, blindSince?: number) => nextRolloutMove({ ...rollout, ...state }, { ...facts, ...change, now, blindSince });
    const first = at(2000);
    expect(first).toMatchObject({ kind: "stay", reason, blindSince: 2000 });
    expect(at(2599, first.blindSince)).toMatchObject({ kind: "stay", reason, blindSince: 2000 });
    expect(at(2600, first.blindSince)).toMatchObject({ kind: "ask", reason, blindSince: 2000 });
    // Somebody said to wait, or it was there for a while.
    expect(at(2600)).toMatchObject({ kind: "stay", blindSince: 2600 });
    expect(nextRolloutMove(rollout, { ...facts, blindSince: 2000 })).not.toHaveProperty("blindSince");
  });
});

it("gives every reason and no other in docs/rollout-decisions.md", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/rollout-decisions.md"), "utf8");
  const rows = [...text.matchAll(/^\| (?:advance|hold|roll back|stay)[^|]*\|([^|]*)\|/gm)].flatMap(([, reasons = ""]) =>
    [...reasons.matchAll(/`(\w+)`/g)].map(([, reason]) => reason),
  );
  expect(new Set(rows)).toEqual(new Set(rolloutReasons));
});
