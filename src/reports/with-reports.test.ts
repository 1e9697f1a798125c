import { expect, it } from "@jest/globals";
import { aCostRun } from "../../test/builders/a-cost-run.ts";
import { createFakeBudgetControl } from "../../test/fakes/fake-budget-control.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import type { RunReader } from "../runs/run-reader.ts";
import { withReports } from "./with-reports.ts";

const run = aCostRun();

function aReader(entries = run.journal.length): RunReader {
  return {
    list: async () => ({ items: [] }),
    get: async (id) => (id === "run_01JH" ? { ...run, journal: run.journal.slice(0, entries) } : undefined),
    async *follow() {},
  };
}

it("puts the review beside a run that has come to its end, and only then", async () => {
  const budgets = createFakeBudgetControl();
  expect((await withReports(aReader(), { budgets, catalogue: actionCatalogue }).get("run_01JH"))?.report?.text).toContain(
    "Outcome: succeeded.",
  );
  expect(await withReports(aReader(10), { budgets, catalogue: actionCatalogue }).get("run_01JH")).not.toHaveProperty("report");
  expect(await withReports(aReader(), { budgets, catalogue: actionCatalogue }).get("other")).toBeUndefined();
});

it("shows the run when its review cannot be made", async () => {
  const budgets = { ...createFakeBudgetControl(), read: async () => Promise.reject(new Error("Redis is gone")) };
  expect(await withReports(aReader(), { budgets, catalogue: actionCatalogue }).get("run_01JH")).toMatchObject({
    summary: { id: "run_01JH" },
  });
});
