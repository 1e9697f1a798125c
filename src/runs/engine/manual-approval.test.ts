import { expect, it } from "@jest/globals";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import { anExpression, aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { scriptActions } from "../../../test/fakes/scripted-actions.ts";
import { createMemoryRunJournal } from "../../rehearsal/memory-run-journal.ts";
import { createExecutor } from "./execute-run.ts";

const approval = { role: "approver", of: 2, withinMs: 3_600_000 } as const;

/** A run of one step that a person does, as far as answers take it. */
async function walk(step: Parameters<typeof aStep>[1], answers: readonly string[]): Promise<readonly JournalEntry[]> {
  const runbook = aRunbook([aStep("deploy", { action: null, ...step })]);
  const clock = createFakeClock();
  const journal = createMemoryRunJournal(clock);
  journal.create("run_1", { runbookId: "test", runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual" });
  let question = 0;
  const executor = createExecutor(
    {
      journal,
      runbooks: { get: async () => runbook },
      actions: scriptActions([]),
      guard: () => ({ kind: "allow", claims: [] }),
      metrics: { query: async () => ({ kind: "unavailable", reason: "no Prometheus in this test" }) },
      standing: { ask: async () => ({ kind: "firing", detail: "it fires" }) },
      publish: () => undefined,
      announce: async () => undefined,
    },
    { clock, questionId: () => `q_${(question += 1)}`, cooldownOf: () => [] },
  );
  for (const answer of [...answers, undefined]) {
    await executor.execute("run_1", new AbortController().signal);
    if (answer !== undefined) journal.answer(`q_${question}`, answer, "ann");
  }
  return journal.journal("run_1");
}

const asked = (entries: readonly JournalEntry[]) =>
  entries.flatMap((entry) => (entry.kind === "asked" ? [[entry.question.kind, entry.question.role, entry.question.of ?? 1]] : []));
const outcomeOf = (entries: readonly JournalEntry[]) => entries.flatMap((entry) => (entry.kind === "finished" ? [entry.outcome] : []))[0];

it("asks for the permission of a step that a person does, and then for the step", async () => {
  const entries = await walk({ approval }, ["approve", "done"]);
  expect(asked(entries)).toEqual([
    ["approve", "approver", 2],
    ["manual", "operator", 1],
  ]);
  expect(outcomeOf(entries)).toBe("succeeded");
});

it("does not ask for a step that was not permitted", async () => {
  const entries = await walk({ approval }, ["reject"]);
  expect(asked(entries)).toEqual([["approve", "approver", 2]]);
  expect(outcomeOf(entries)).toBe("aborted");
});

it.each([
  ["true", "manual"],
  ["false", "approve"],
  ["steps.gone.result.ok", "approve"],
])("with unless `%s` asks %s first", async (source, first) => {
  const entries = await walk({ approval: { ...approval, unless: anExpression(source) } }, []);
  expect(asked(entries)[0]?.[0]).toBe(first);
});
