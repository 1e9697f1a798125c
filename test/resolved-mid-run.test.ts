import { describe, expect, it } from "@jest/globals";
import { packageFolder } from "../src/cli/process-context.ts";
import { readLintInput } from "../src/cli/read-folder.ts";
import { readRehearsals } from "../src/cli/read-rehearsals.ts";
import { changesSomething } from "../src/rehearsal/mutate-runbook.ts";
import { runRehearsal } from "../src/rehearsal/run-rehearsal.ts";
import { lintFolder } from "../src/runbooks/lint/lint-folder.ts";

const root = packageFolder();
const read = readLintInput({ workingDirectory: root, runbooks: ["runbooks"] });
const cost = "input" in read ? lintFolder(read.input).runbooks.find(({ id }) => id === "cost-incident-response") : undefined;
if (cost === undefined) throw new Error("There is no cost-incident-response.");
const usual = readRehearsals(root, cost).rehearsals.find(({ name }) => name.startsWith("a burning budget is stopped"));
if (usual === undefined) throw new Error("The usual rehearsal of the cost incident is gone.");

const firstChange = cost.steps.findIndex(({ id }) => changesSomething(cost, id));

/** W07: the alert ends behind each step of the cost incident, with either policy. */
describe.each(cost.steps.map(({ id }, index) => [id, index] as const))("an alert that ends behind step %s", (id, index) => {
  const rehearsal = { ...usual, faults: [{ kind: "resolve" as const, afterStep: id }] };

  it("changes nothing more when nothing was changed yet, and goes on to its end otherwise", async () => {
    const { journal, effects, ended } = await runRehearsal(cost, rehearsal);
    const outcome = journal.findLast((entry) => entry.kind === "finished")?.outcome;
    expect(ended).toBe(true);
    expect([outcome, effects]).toEqual(index < firstChange ? ["stood_down", []] : ["succeeded", usual.expect.effects]);
  });

  it("begins no further step, and undoes what was done, when the document says on_resolved: undo", async () => {
    const { journal } = await runRehearsal({ ...cost, onResolved: "undo" }, rehearsal);
    const resolvedAt = journal.findIndex(({ kind }) => kind === "resolved");
    const outcome = journal.findLast((entry) => entry.kind === "finished")?.outcome;
    expect(journal.slice(resolvedAt).filter((entry) => entry.kind === "intent" && !entry.step.startsWith("post_action"))).toEqual([]);
    // A run whose steps were all done has nothing left that an end could cut short.
    expect(index < firstChange ? ["stood_down"] : ["undone", "succeeded", "failed"]).toContain(outcome);
  });
});
