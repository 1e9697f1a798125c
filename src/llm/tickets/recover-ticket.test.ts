import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { ListedCheckpoint } from "./checkpoint.ts";
import { type FailureClass, failureClasses } from "./failure-class.ts";
import { decideRecovery, nameFailure, recoveredWord, workAfter } from "./recover-ticket.ts";
import { parseStagedWork } from "./staged-work.ts";

const whole = (n: number, stage: string, green = false): ListedCheckpoint => ({
  kind: "whole",
  checkpoint: { n, ref: `refs/checkpoints/T/${n}`, commit: `c${n}`, tree: `t${n}`, stage, green, conversationSha256: "" },
});
const broken = (n: number): ListedCheckpoint => ({ kind: "broken", n, ref: `refs/checkpoints/T/${n}`, reason: "gone" });

const name = (reason: string, change: { failures?: readonly string[]; conflicts?: readonly string[]; standing?: boolean } = {}) =>
  nameFailure({
    ticket: { state: "waiting", reason, failures: change.failures ?? [] },
    conflicts: change.conflicts ?? [],
    standing: change.standing ?? false,
  }).failureClass;

describe("nameFailure", () => {
  it.each<[string, FailureClass]>([
    ["worker_lost", "worker_lost"],
    ["ticket_cancelled", "cancelled"],
    ["ticket_cap", "budget_cut"],
    ["test_failure: 2 of 9", "test_failure"],
    ["HTTP 429: credit balance is too low", "provider_spend_limit"],
    ["HTTP 429: rate limit reached", "provider_rate_limit"],
    ["overloaded_error", "provider_overload"],
    ["prompt is too long: 210000 tokens", "context_overflow"],
    ["CONFLICT (content): a.txt", "git_conflict"],
    ["HTTP 500 from upstream", "provider_error"],
    ["spawn npm ENOENT", "tool_error"],
    ["3 tests failed", "test_failure"],
    ["something else", "unknown"],
    ["", "unknown"],
  ])("names %s as %s", (reason, wanted) => {
    expect(name(reason)).toBe(wanted);
  });

  it("believes what it sees before what it is told, and what somebody decided before both", () => {
    expect(name("test_failure: 2 of 9", { conflicts: ["a.txt"] })).toBe("git_conflict");
    expect(name("ticket_cancelled", { conflicts: ["a.txt"] })).toBe("cancelled");
    expect(name("", { standing: true })).toBe("worker_lost");
    expect(name("attempts_exhausted", { failures: ["tool_error", "refusal"] })).toBe("refusal");
    expect(name("recovery", { failures: ["recovered/worker_lost", "context_overflow"], standing: true })).toBe("context_overflow");
  });
});

describe("decideRecovery", () => {
  const decide = (failureClass: FailureClass, checkpoints: readonly ListedCheckpoint[], failures: readonly string[] = []) =>
    decideRecovery({ failure: { failureClass, evidence: "" }, ticket: { failures }, checkpoints });

  it("goes on from the newest whole checkpoint when the cause passes, partial work included", () => {
    expect(decide("worker_lost", [whole(1, "plan"), whole(2, "partial")])).toMatchObject({ kind: "resume", from: { n: 2 } });
    expect(decide("worker_lost", [whole(1, "plan"), broken(2)])).toMatchObject({
      kind: "resume",
      from: { n: 1 },
      why: expect.stringMatching(/1 broken/),
    });
    expect(decide("provider_overload", [broken(1)])).toMatchObject({ kind: "restart" });
  });

  it("goes back to the last green checkpoint when tests got worse or the work is in conflict", () => {
    const all = [whole(1, "plan"), whole(2, "implement"), whole(3, "test", true), whole(4, "partial")];
    expect(decide("test_failure", all)).toMatchObject({ kind: "roll_back", from: { n: 3 } });
    expect(decide("git_conflict", all.slice(0, 2))).toMatchObject({ kind: "roll_back", from: { n: 1 } });
    expect(decide("git_conflict", [whole(1, "partial")])).toMatchObject({ kind: "restart" });
  });

  it("sets aside what came again after a recovery, and what the model declines", () => {
    expect(decide("tool_error", [whole(1, "plan")], [recoveredWord("tool_error")])).toMatchObject({ kind: "quarantine" });
    expect(decide("worker_lost", [whole(1, "plan")], [recoveredWord("tool_error")])).toMatchObject({ kind: "resume" });
    expect(decide("refusal", [whole(1, "plan")])).toMatchObject({ kind: "quarantine" });
  });

  it("lets nothing go on that has no money, or that nobody wants", () => {
    for (const failureClass of ["budget_cut", "provider_spend_limit", "cancelled"] as const)
      expect(decide(failureClass, [whole(1, "plan")])).toMatchObject({ kind: "hold" });
  });

  it("never goes on from a checkpoint that is not whole, and never does a stage again that was done before the point", () => {
    const found = fc.array(fc.tuple(fc.boolean(), fc.boolean(), fc.constantFrom("plan", "implement", "test", "partial")), { maxLength: 8 });
    fc.assert(
      fc.property(found, fc.constantFrom(...failureClasses), (list, failureClass) => {
        const checkpoints = list.map(([isWhole, green, stage], index) => (isWhole ? whole(index + 1, stage, green) : broken(index + 1)));
        const decision = decide(failureClass, checkpoints);
        const done = checkpoints.flatMap((one, index) =>
          one.kind === "whole" ? [{ stage: "plan", n: index + 1, commit: one.checkpoint.commit, tree: one.checkpoint.tree }] : [],
        );
        const work = parseStagedWork({ done });
        if (decision.kind === "quarantine" || decision.kind === "hold") return;
        const after = workAfter(decision, work, failureClass);
        const from = decision.kind === "restart" ? undefined : decision.from;
        const { n, commit, tree } = from ?? { n: 0, commit: "", tree: "" };
        expect({ resume: after.resume, done: after.done, fresh: after.fresh || from !== undefined }).toEqual({
          resume: from === undefined ? undefined : { n, commit, tree },
          done: work.done.filter((one) => one.n <= n),
          fresh: true,
        });
        const chosen = checkpoints.flatMap((one) => (one.kind === "whole" && one.checkpoint.n === n ? [one.checkpoint] : []));
        expect(chosen).toEqual(from === undefined ? [] : [from]);
      }),
    );
  });
});
