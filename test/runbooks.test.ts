import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { actionCatalogue } from "../src/app/action-registry.ts";
import { packageFolder } from "../src/cli/process-context.ts";
import { readLintInput } from "../src/cli/read-folder.ts";
import { countRehearsals } from "../src/cli/read-rehearsals.ts";
import { watchdogRunbook } from "../src/core/run.ts";
import { lintFolder } from "../src/runbooks/lint/lint-folder.ts";
import { formatDiagnostic } from "../src/runbooks/lint/lint-format.ts";
import { parseRunbook } from "../src/runbooks/parse/parse-runbook.ts";
import { divideDurations } from "../src/runbooks/parse/scale.ts";
import { renderIndex } from "../src/runbooks/render-index.ts";

const root = packageFolder();
const read = readLintInput({
  workingDirectory: root,
  runbooks: ["runbooks"],
  rules: "alerts/rules",
  alertmanager: "alerts/alertmanager.yml",
});
const input = "input" in read ? read.input : undefined;
const report = input === undefined ? undefined : lintFolder(input);

it("the shipped runbooks, alert rules and routes fit together without an error or a warning", () => {
  expect(report?.diagnostics.map(formatDiagnostic)).toEqual([]);
});

it("every runbook is there, and the cost incident is handled without a person", () => {
  expect(report?.documents.map(({ id }) => id)).toEqual([
    "batch-operations",
    "cache-optimization",
    "cost-incident-response",
    "model-migration",
    "security-incident",
    "ticket-recovery",
    "watchdog",
  ]);
  const cost = report?.documents.find(({ id }) => id === "cost-incident-response");
  expect(cost?.automated).toBe(cost?.steps);
});

it("every runbook has the seven sections of the format, a check in its Verification and a report", () => {
  // A watchdog that mails a report every other minute would be the next incident.
  const forPeople = (report?.runbooks ?? []).filter(({ id }) => id !== watchdogRunbook);
  expect(forPeople.length).toBeGreaterThan(5);
  for (const runbook of forPeople) {
    expect(Object.keys(runbook.prose)).toEqual(["Scenario", "Symptoms", "Prerequisites", "Verification", "Post-Action", "Related"]);
    expect(runbook.verification.some((item) => item.check !== undefined)).toBe(true);
    expect(runbook.postAction.map((item) => item.action?.name)).toContain("send-report");
  }
});

it("the cost runbook keeps its five original parts in their order", () => {
  const cost = report?.runbooks.find(({ id }) => id === "cost-incident-response");
  expect([...new Set(cost?.steps.map((step) => step.section))]).toEqual([
    "Immediate response: stop all batch jobs",
    "Identify high-cost operations",
    "Implement cost controls",
    "Resume operations with limits",
    "Post-incident review",
  ]);
});

it("every runbook reads as the same program when its durations are divided", () => {
  for (const { file, source } of input?.runbooks ?? []) {
    const before = parseRunbook({ file, source, catalogue: actionCatalogue }).runbook;
    const divided = divideDurations({ file, source, catalogue: actionCatalogue }, 60);
    const after = parseRunbook({ file, source: divided, catalogue: actionCatalogue }).runbook;
    expect(after?.steps.map(({ id, action }) => [id, action?.name])).toEqual(before?.steps.map(({ id, action }) => [id, action?.name]));
    expect(after?.cooldownMs).toBe(Math.round((before?.cooldownMs ?? 0) / 60));
    expect(after?.verification.length).toBe(before?.verification.length);
  }
});

it("the index of the runbooks is up to date", () => {
  expect(readFileSync(join(root, "runbooks/README.md"), "utf8")).toBe(
    renderIndex({ runbooks: report?.runbooks ?? [], rehearsals: countRehearsals(root, report?.runbooks ?? []) }),
  );
});
