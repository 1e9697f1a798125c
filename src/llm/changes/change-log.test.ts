import { expect, it } from "@jest/globals";
import { contractTimes } from "../../../test/contracts/describe-budget-ledger.ts";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { aCandidate, someTargets } from "../../../test/contracts/describe-model-routes.ts";
import { createFakeBudgetControl } from "../../../test/fakes/fake-budget-control.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryBudgetLedger } from "../../../test/fakes/memory-budget-ledger.ts";
import { createMemoryChangeLog } from "../../../test/fakes/memory-change-log.ts";
import { createMemoryFlags } from "../../rehearsal/memory-flags.ts";
import { createMemoryModelRoutes } from "../../rehearsal/memory-model-routes.ts";
import { createSimulatedBatches } from "../../rehearsal/simulated-batches.ts";
import type { BatchControl, SubmitAnswer } from "../batches/batch-control.ts";
import { noLimits } from "../budgets/controls.ts";
import type { LabelMoveResult, PromptStore } from "../prompts/prompt.ts";
import {
  type ChangeRecorder,
  withBatchChanges,
  withFlagChanges,
  withLabelChanges,
  withLimitChanges,
  withRouteChanges,
} from "./change-log.ts";

function aNotebook() {
  const clock = createFakeClock();
  const changes = createMemoryChangeLog();
  const lost: unknown[] = [];
  const notes: ChangeRecorder = { changes, clock, lost: (error) => void lost.push(error) };
  return { clock, notes, lost, noted: async () => changes.between(0, Number.MAX_SAFE_INTEGER, 100) };
}

const unused = () => {
  throw new Error("nobody asks for this");
};

function promptsThat(reply: LabelMoveResult): PromptStore {
  return { create: unused, version: unused, read: unused, versions: unused, list: unused, moveLabel: async () => reply };
}

it.each<[string, LabelMoveResult, readonly string[]]>([
  ["that moved", { kind: "moved", before: 3, after: 4 }, ["prompt implement: production is version 4"]],
  ["that was taken away", { kind: "moved", before: 3, after: null }, ["prompt implement: production is nothing"]],
  ["that is where it was", { kind: "moved", before: 4, after: 4 }, []],
  ["that somebody else had moved", { kind: "conflict", present: 5 }, []],
])("a label %s", async (_name, reply, refs) => {
  const { notes, noted, clock } = aNotebook();
  const move = { prompt: "implement", label: "production", expected: 3, to: 4, by: "anna" };
  expect(await withLabelChanges(promptsThat(reply), notes).moveLabel(move)).toEqual(reply);
  expect(await noted()).toEqual(refs.map((ref) => ({ kind: "prompt", ref, dims: { prompt: "implement" }, by: "anna", at: clock.now() })));
});

it.each<[SubmitAnswer, number]>([
  [{ kind: "submitted" }, 1],
  [{ kind: "joined" }, 0],
  [{ kind: "missing" }, 0],
])("a batch whose submission answers %j makes %i change(s)", async (answer, count) => {
  const { notes, noted, clock } = aNotebook();
  const batch = {
    id: "nightly",
    queue: "fast",
    budget: "checkout",
    draft: true,
    tickets: 4,
    ended: 0,
    kind: "bug",
    perMinute: 4,
    costUsd: 1,
    p90Usd: 2,
  };
  const control: BatchControl = {
    ...createSimulatedBatches([{ ...batch, failures: {} }], { clock, budgets: createFakeBudgetControl(), changed: () => undefined }),
    submit: async () => answer,
    resubmit: async () => answer,
  };
  const told = withBatchChanges(control, notes);
  await told.submit("nightly", "anna");
  const change = {
    kind: "batch",
    ref: "batch nightly was submitted",
    dims: { batch: "nightly", budget: "checkout", queue: "fast" },
    by: "anna",
  };
  expect(await noted()).toEqual(Array.from({ length: count }, () => expect.objectContaining(change)));
  await told.resubmit("nightly", { newId: "nightly-2", ticketIds: ["T-1"], by: "anna" });
  expect(await noted()).toHaveLength(2 * count);
});

it("a gate or limit that was set is a change, and one that could not be is none", async () => {
  const { notes, noted, clock } = aNotebook();
  const inner = createMemoryBudgetLedger({ clock, times: contractTimes });
  const ledger = withLimitChanges(inner, notes);
  await ledger.define({ id: "checkout", limitMicroUsd: 1e9, periodMs: 1e9, periodStartsAt: clock.now() });
  const version = (await ledger.read("checkout"))?.controls.version ?? 0;
  const change = { gate: "open", limits: { ...noLimits, concurrency: 9 }, by: "anna", reason: "" } as const;
  expect((await ledger.compareAndSet("checkout", version, change)).set).toBe(true);
  // The same again is done already, and another from an old version is refused.
  expect((await ledger.compareAndSet("checkout", version, change)).set).toBe(true);
  expect((await ledger.compareAndSet("checkout", version, { gate: "paused", by: "bob" })).set).toBe(false);
  expect(await noted()).toMatchObject([
    { kind: "limit", ref: "budget checkout: gate open, limits set", dims: { budget: "checkout" }, by: "anna" },
  ]);
});

it("a route that was set is a change, and one that was set already or by somebody else is none", async () => {
  const { notes, noted, clock } = aNotebook();
  const routes = withRouteChanges(createMemoryModelRoutes(clock), notes);
  const change = { id: "implement", expected: 0, targets: someTargets(), by: "anna", reason: "first" };
  await routes.set(change);
  await routes.set(change);
  await routes.set({ ...change, targets: someTargets({ candidate: aCandidate }) });
  await routes.set({ ...change, expected: 1, targets: someTargets({ candidate: aCandidate }) });
  expect((await noted()).map(({ kind, ref, dims }) => [kind, ref, dims])).toEqual([
    ["route", "route implement: claude-sonnet-4-5", { model: "claude-sonnet-4-5" }],
    ["route", "route implement: claude-sonnet-4-5, claude-haiku-4-5 for 10 %", { model: "claude-haiku-4-5" }],
  ]);
});

it("a flag that was set is a change, and one that was set already or by somebody else is none", async () => {
  const { notes, noted, clock } = aNotebook();
  const flags = withFlagChanges(createMemoryFlags(clock), notes);
  const change = { key: "export", expected: 0, definition: aDefinition(), by: "anna", reason: "first" };
  await flags.set(change);
  await flags.set(change);
  await flags.set({ ...change, definition: aTrial() });
  await flags.set({ ...change, expected: 1, definition: aTrial({ state: "off" }) });
  expect((await noted()).map(({ kind, ref, by }) => [kind, ref, by])).toEqual([
    ["flag", "flag export: new flag of type boolean, on", "anna"],
    ["flag", "flag export: state on -> off, default variant on -> off, share none -> on 10 %", "anna"],
  ]);
});

it("a change that could not be noted stands all the same", async () => {
  const { notes, lost, clock } = aNotebook();
  const failing: ChangeRecorder = { ...notes, changes: { ...notes.changes, record: async () => Promise.reject(new Error("no disk")) } };
  const moved: LabelMoveResult = { kind: "moved", before: 3, after: 4 };
  const move = { prompt: "implement", label: "production", expected: 3, to: 4, by: "anna" };
  expect(await withLabelChanges(promptsThat(moved), failing).moveLabel(move)).toEqual(moved);
  expect(lost).toEqual([new Error("no disk")]);
  // The batch runs, whether or not it can be looked at afterwards.
  const batches = createSimulatedBatches([], { clock, budgets: createFakeBudgetControl(), changed: () => undefined });
  const blind = {
    ...batches,
    submit: async () => ({ kind: "submitted" }) as const,
    get: async () => Promise.reject(new Error("no Redis")),
  };
  expect(await withBatchChanges(blind, notes).submit("nightly", "anna")).toEqual({ kind: "submitted" });
  expect(lost).toEqual([new Error("no disk"), new Error("no Redis")]);
});
