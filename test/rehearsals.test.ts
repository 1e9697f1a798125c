import { describe, expect, it } from "@jest/globals";
import { packageFolder } from "../src/cli/process-context.ts";
import { readLintInput } from "../src/cli/read-folder.ts";
import { readRehearsals } from "../src/cli/read-rehearsals.ts";
import { judgeRehearsal } from "../src/rehearsal/judge-rehearsal.ts";
import { changesSomething, mutateRunbook } from "../src/rehearsal/mutate-runbook.ts";
import { lintFolder } from "../src/runbooks/lint/lint-folder.ts";
import { formatDiagnostic } from "../src/runbooks/lint/lint-format.ts";

const root = packageFolder();
const read = readLintInput({ workingDirectory: root, runbooks: ["runbooks"] });
const runbooks = "input" in read ? lintFolder(read.input).runbooks : [];
// Those whose alert a rule words need promtool; commands/rehearse.int.test.ts holds them.
const held = runbooks.map((runbook) => {
  const { rehearsals, diagnostics } = readRehearsals(root, runbook);
  return { runbook, diagnostics, rehearsals: rehearsals.filter(({ rule }) => rule === undefined) };
});

describe("the shipped rehearsals", () => {
  it("can be read", () => {
    expect(held.flatMap(({ diagnostics }) => diagnostics.map(formatDiagnostic))).toEqual([]);
  });

  it("are there for every runbook", () => {
    expect(held.filter(({ rehearsals }) => rehearsals.length === 0).map(({ runbook }) => runbook.id)).toEqual([]);
    expect(held.length).toBe(7);
  });

  it.each(
    held.flatMap(({ runbook, rehearsals }) =>
      rehearsals.map((rehearsal) => [`${runbook.id}: ${rehearsal.name}`, runbook, rehearsal] as const),
    ),
  )("pass: %s", async (_name, runbook, rehearsal) => {
    expect((await judgeRehearsal(runbook, rehearsal)).differences).toEqual([]);
  });

  it("show the cost incident as it succeeds, fails, crashes, is denied by a person and resolves midway", () => {
    const cost = held.find(({ runbook }) => runbook.id === "cost-incident-response")?.rehearsals ?? [];
    expect(cost.map(({ expect: { outcome } }) => outcome)).toEqual(expect.arrayContaining(["succeeded", "failed", "stood_down"]));
    const kinds = cost.flatMap(({ faults }) => faults.map(({ kind }) => kind));
    expect(kinds).toEqual(expect.arrayContaining(["step", "crash", "approval", "answer", "resolve"]));
  });
});

it("no step of the cost incident that changes something can be dropped without a rehearsal noticing", async () => {
  const cost = held.find(({ runbook }) => runbook.id === "cost-incident-response");
  if (cost === undefined) throw new Error("There is no cost-incident-response.");
  const results = await mutateRunbook(cost.runbook, cost.rehearsals);
  const changing = cost.runbook.steps.filter(({ id }) => changesSomething(cost.runbook, id)).map(({ id }) => id);
  expect(changing).toEqual(["stop_all_batch_jobs", "stop_tickets_in_flight", "implement_cost_controls", "resume_operations_with_limits"]);
  const dropped = results.filter(({ kind }) => kind === "drop step");
  expect(dropped.map(({ step }) => step)).toEqual(cost.runbook.steps.map(({ id }) => id));
  expect(dropped.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([]);
  // The gate and the limits are set by compare-and-set, so that these two only say once more what the action has proven itself.
  expect(results.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([
    { kind: "drop Expected", step: "stop_all_batch_jobs" },
    { kind: "drop Expected", step: "implement_cost_controls" },
  ]);
});

it("no change of the cache optimization's document goes unnoticed by its rehearsals", async () => {
  const cache = held.find(({ runbook }) => runbook.id === "cache-optimization");
  if (cache === undefined) throw new Error("There is no cache-optimization.");
  const outcomes = cache.rehearsals.map(({ expect: { outcome } }) => outcome);
  expect(outcomes).toEqual(expect.arrayContaining(["succeeded", "failed", "undone", "ineffective", "stood_down"]));
  const results = await mutateRunbook(cache.runbook, cache.rehearsals);
  expect(results.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([]);
});

it("no change of the model migration's document goes unnoticed by its rehearsals", async () => {
  const migration = held.find(({ runbook }) => runbook.id === "model-migration");
  if (migration === undefined) throw new Error("There is no model-migration.");
  const outcomes = migration.rehearsals.map(({ expect: { outcome } }) => outcome);
  expect(outcomes).toEqual(expect.arrayContaining(["succeeded", "failed", "undone", "ineffective", "aborted", "stood_down", "waiting"]));
  const kinds = migration.rehearsals.flatMap(({ faults }) => faults.map(({ kind }) => kind));
  expect(kinds).toEqual(expect.arrayContaining(["step", "crash", "approval", "answer", "resolve"]));
  const results = await mutateRunbook(migration.runbook, migration.rehearsals);
  expect(results.map(({ kind }) => kind)).toContain("drop Prerequisite");
  expect(results.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([]);
}, 120_000);

it("no step of the ticket recovery can be dropped, and none of its checks left out, without a rehearsal noticing", async () => {
  const recovery = held.find(({ runbook }) => runbook.id === "ticket-recovery");
  if (recovery === undefined) throw new Error("There is no ticket-recovery.");
  const results = await mutateRunbook(recovery.runbook, recovery.rehearsals);
  expect(results.length).toBeGreaterThanOrEqual(15);
  expect(results.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([]);
});

it("no change of the security incident's document goes unnoticed by its rehearsals", async () => {
  const security = held.find(({ runbook }) => runbook.id === "security-incident");
  if (security === undefined) throw new Error("There is no security-incident.");
  const outcomes = security.rehearsals.map(({ expect: { outcome } }) => outcome);
  expect(outcomes).toEqual(
    expect.arrayContaining(["succeeded", "failed", "ineffective", "inconclusive", "aborted", "stood_down", "waiting"]),
  );
  const results = await mutateRunbook(security.runbook, security.rehearsals);
  expect(results.length).toBeGreaterThanOrEqual(43);
  expect(results.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([]);
}, 400_000);

it("every step of every shipped runbook is automated", () => {
  expect(
    runbooks.flatMap(({ id, steps }) => steps.filter(({ action }) => action === undefined).map((step) => `${id}: ${step.name}`)),
  ).toEqual([]);
});
