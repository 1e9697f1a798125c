import { expect, it } from "@jest/globals";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import type { FailurePolicy, Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import { anExpression, aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { createRandom, type Random } from "../../core/random.ts";
import type { EntryBody, Move } from "./move.ts";
import { defaultIntervals } from "./move.ts";
import { nextMove } from "./next-move.ts";
import { fold, runTimeOf, stepView, viewOf } from "./run-view.ts";

const risks = ["none", "lowers", "raises"] as const;
type Risk = (typeof risks)[number];

/** A document of random steps, with what each of their actions does to risk. */
interface World {
  readonly runbook: Runbook;
  readonly risks: { readonly [step: string]: Risk };
}

const policies: readonly FailurePolicy["then"][] = [
  { kind: "stop" },
  { kind: "continue" },
  { kind: "ask" },
  { kind: "undo" },
  { kind: "undo" },
];

function aWorld(random: Random): World {
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item => items[Math.floor(random() * items.length)] ?? items[0];
  const count = 2 + Math.floor(random() * 6);
  const steps = Array.from({ length: count }, (_, index) => {
    const earlier = `s${Math.floor(random() * index)}`;
    const whens = [`steps.${earlier}.result.ok`, `steps.${earlier}.result.ok != true`, `!has(steps.${earlier}.result.ok)`] as const;
    const [first, ...others] = policies;
    return aStep(`s${index}`, {
      onFailure: {
        retries: Math.floor(random() * 2),
        retryEveryMs: 0,
        then: first === undefined ? { kind: "stop" } : pick([first, ...others]),
      },
      ...(index > 0 && random() < 0.5 && { when: anExpression(pick(whens)) }),
      ...(random() < 0.1 && { action: null }),
    });
  });
  return {
    runbook: aRunbook(steps, { onResolved: pick(["finish", "undo"]) }),
    risks: Object.fromEntries(steps.map(({ id }) => [id, pick(risks)])),
  };
}

/** Drives the state machine to the end of the run, with random failures, answers, crashes between intent and result, stops and ends of the alert. */
function drive({ runbook, risks }: World, random: Random): { readonly journal: readonly JournalEntry[]; readonly moves: readonly Move[] } {
  let at = 0;
  const journal: JournalEntry[] = [
    {
      kind: "accepted",
      at,
      runId: "run_1",
      request: { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual" },
    },
  ];
  const moves: Move[] = [];
  const add = (body: EntryBody) => {
    at += 1;
    journal.push({ at, ...body });
  };
  const capabilities = { canAskAlertmanager: false, mutates: () => true };
  for (;;) {
    // Read anew each time, as after a crash: the journal alone decides.
    const view = viewOf(journal);
    const move = nextMove(runbook, view, { now: at, intervals: defaultIntervals, capabilities });
    moves.push(move);
    if (moves.length > 2000) throw new Error("The run has no end.");
    if (random() < 0.01 && view.resolved === undefined) add({ kind: "resolved", why: "it ended" });
    switch (move.kind) {
      case "record":
        for (const entry of move.entries) add(entry);
        break;
      case "attempt": {
        const { step } = move;
        const { attempts, group } = stepView(view, step.id);
        const attempt = attempts + 1;
        add({
          kind: "intent",
          step: step.id,
          action: step.id,
          effect: "set",
          risk: risks[step.id] ?? "none",
          attempt,
          group,
          idempotencyKey: "k",
          plan: { summary: "", targets: [], changes: [], reversible: true, data: {} },
          planSha: "p",
        });
        const drawn = random();
        // A crash: no result is recorded.
        if (drawn < 0.1) break;
        if (drawn < 0.7) add({ kind: "applied", step: step.id, attempt, output: { ok: drawn < 0.5 } });
        else
          add({
            kind: "failed",
            step: step.id,
            attempt,
            failure: { reason: "refused_by_target", message: "no", applied: drawn < 0.9 ? "no" : "unknown" },
          });
        break;
      }
      case "ask":
        add({
          kind: "asked",
          question: {
            id: `q${at}`,
            runId: "run_1",
            runbookId: "test",
            stepId: move.step.id,
            kind: move.question,
            text: "",
            answers: [...move.answers],
            askedAt: at,
            role: "operator",
          },
        });
        break;
      case "suspend": {
        const open = view.question?.question;
        if (!move.asked || open === undefined) {
          at = Math.max(at, move.until);
          break;
        }
        const answer = open.answers[Math.floor(random() * open.answers.length)] ?? "stop";
        add({ kind: "answered", questionId: open.id, answer: { answer, by: "ann", reason: "", at } });
        break;
      }
      case "undo":
        add({ kind: "undo_intent", step: move.step.id, attempt: 1, idempotencyKey: "u" });
        if (random() < 0.8) add({ kind: "undone", step: move.step.id });
        else
          add({
            kind: "undo_failed",
            step: move.step.id,
            attempt: 1,
            failure: { reason: "refused_by_target", message: "changed", applied: "no" },
          });
        break;
      case "finish":
        add({ kind: "finished", outcome: move.outcome, reason: move.reason });
        break;
      case "ended":
        return { journal, moves };
      case "probe":
      case "recheck":
      case "preflight":
      case "check":
      case "escalate":
        throw new Error(`No ${move.kind} is expected of these documents.`);
    }
  }
}

const runCount = 1000;

/** What is wrong with the runs of these documents; each begins with the seed by which it is made again. */
function faultsOf(judge: (run: World & ReturnType<typeof drive>) => readonly string[]): readonly string[] {
  const faults: string[] = [];
  for (let seed = 1; seed <= runCount; seed += 1) {
    const random = createRandom(seed);
    const world = aWorld(random);
    faults.push(...judge({ ...world, ...drive(world, random) }).map((fault) => `${seed}: ${fault}`));
  }
  return faults;
}

it("never undoes what lowers, and says that it was kept", () => {
  let kept = 0;
  const faults = faultsOf(({ journal, moves, risks }) => {
    kept += journal.filter((entry) => entry.kind === "undone" && entry.kept !== undefined).length;
    return [
      ...moves.flatMap((move) =>
        move.kind === "undo" && risks[move.effect.step] === "lowers" ? [`a move undoes ${move.effect.step}`] : [],
      ),
      ...journal.flatMap((entry) => (entry.kind === "undo_intent" && risks[entry.step] === "lowers" ? [`${entry.step} is undone`] : [])),
      ...journal.flatMap((entry) =>
        entry.kind === "undone" && (entry.kept === "lowers") !== (risks[entry.step] === "lowers")
          ? [`${entry.step} is recorded wrongly`]
          : [],
      ),
    ];
  });
  expect(faults).toEqual([]);
  expect(kept).toBeGreaterThan(50);
});

it("ends an undone run with each effect undone, kept or left by a person, in reverse order", () => {
  let ends = 0;
  const faults = faultsOf(({ journal }) => {
    if (!journal.some((entry) => entry.kind === "finished" && entry.outcome === "undone")) return [];
    ends += 1;
    const effects = viewOf(journal).effects.map(({ step }) => step);
    const undone = journal.flatMap((entry) => (entry.kind === "undone" ? [entry.step] : []));
    return undone.toReversed().join() === effects.join() ? [] : [`${effects.join()} was undone as ${undone.join()}`];
  });
  expect(faults).toEqual([]);
  expect(ends).toBeGreaterThan(50);
});

it("never fails a step because a step that its When reads is over without a result", () => {
  let skips = 0;
  const faults = faultsOf(({ journal, runbook }) => {
    const view = viewOf(journal.slice(0, 1));
    return journal.slice(1).flatMap((entry) => {
      fold(view, entry);
      if (entry.kind === "failed" && entry.failure.reason === "expression_error") return [`${entry.step}: ${entry.failure.message}`];
      if (entry.kind !== "skipped" || !entry.why.includes("has no result")) return [];
      skips += 1;
      const when = runbook.steps.find(({ id }) => id === entry.step)?.when?.source ?? "";
      const [, read = ""] = /steps\.(\w+)\./u.exec(when) ?? [];
      return stepView(view, read).over === "no" ? [`${entry.step} is skipped for ${read}, which is not over`] : [];
    });
  });
  expect(faults).toEqual([]);
  expect(skips).toBeGreaterThan(50);
});

it.each([
  ["a retry of a failed step", "failed"],
  ["a resumed intent", "pending"],
] as const)("%s that a guardrail refuses waits for the time that the refusal names", (_name, before) => {
  const runbook = aRunbook([aStep("a", { onFailure: { retries: 3, retryEveryMs: 0, then: { kind: "stop" } } })]);
  const plan = { summary: "", targets: ["t/a"], changes: [], reversible: false, data: {} };
  const intent = { step: "a", action: "a", effect: "keyed", attempt: 1, group: 1, idempotencyKey: "k", plan, planSha: "p" } as const;
  const failure = { reason: "refused_by_target", message: "no", applied: "no" } as const;
  const refused = { kind: "refused", at: 3, step: "a", guardrail: "change-rate", reason: "the limit is used up", retryAt: 5000 } as const;
  const view = viewOf([
    {
      kind: "accepted",
      at: 0,
      runId: "run_1",
      request: { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual" },
    },
    { kind: "intent", at: 1, ...intent },
    ...(before === "failed" ? [{ kind: "failed", at: 2, step: "a", attempt: 1, failure } as const] : []),
    refused,
  ]);
  const moveAt = (now: number) =>
    nextMove(runbook, view, { now, intervals: defaultIntervals, capabilities: { canAskAlertmanager: false, mutates: () => true } });
  expect(moveAt(10)).toMatchObject({ kind: "suspend", until: 5000, why: "change-rate: the limit is used up" });
  expect(moveAt(5000)).toMatchObject({ kind: "attempt" });
});

it("waits no longer than it was to wait when the clock is set back meanwhile", () => {
  const hour = 3_600_000;
  const step = aStep("s1", { onFailure: { retries: 3, retryEveryMs: 60_000, then: { kind: "stop" } } });
  const runbook = aRunbook([step]);
  const request = { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual" } as const;
  const failure = { reason: "not_reachable", message: "down", applied: "no" } as const;
  const view = viewOf([
    { kind: "accepted", at: hour, epoch: 1, runId: "run_1", request },
    { kind: "claimed", at: hour, epoch: 1, worker: "vm/0" },
    { kind: "failed", at: hour + 1000, epoch: 1, step: "s1", attempt: 1, failure },
    { kind: "suspended", at: hour + 1000, epoch: 1, step: "s1", until: hour + 61_000, why: "trying again (1 of 3)" },
  ]);
  const capabilities = { canAskAlertmanager: false, mutates: () => true };
  const moveAt = (now: number) => nextMove(runbook, view, { now: runTimeOf(view, now), intervals: defaultIntervals, capabilities });
  const waitAt = (now: number) => {
    const move = moveAt(now);
    return move.kind === "suspend" ? move.until - runTimeOf(view, now) : move.kind;
  };
  expect(waitAt(hour + 31_000)).toBe(30_000);
  // An hour back: the wait goes on for what is left of it as far as is known, not for an hour more.
  expect(waitAt(0)).toBe(60_000);
  fold(view, { kind: "claimed", at: 0, epoch: 2, worker: "vm/1" });
  expect(waitAt(10_000)).toBe(50_000);
  fold(view, { kind: "suspended", at: 10_000, epoch: 2, step: "s1", until: 60_000, why: "trying again (1 of 3)" });
  expect(waitAt(10_000)).toBe(50_000);
  expect(waitAt(60_000)).toBe("attempt");
});
