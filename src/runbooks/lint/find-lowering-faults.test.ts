import { expect, it } from "@jest/globals";
import { aCommandTemplate } from "../../../test/builders/action-bench.ts";
import { withCommands } from "../../actions/run-command.ts";
import { actionCatalogue } from "../../app/action-registry.ts";
import { parseRunbook } from "../parse/parse-runbook.ts";
import { findLoweringFaults } from "./find-lowering-faults.ts";

const catalogue = withCommands(actionCatalogue, [
  aCommandTemplate({ name: "start", risk: "raises" }),
  aCommandTemplate({ name: "stop", risk: "lowers" }),
]);

const command = (name: string, ...bullets: readonly string[]) =>
  [`- Action: \`run-command\``, "  ```yaml", `  command: ${name}`, "  ```", ...bullets.map((bullet) => `- ${bullet}`)]
    .map((line) => `   ${line}`)
    .join("\n");
const manual = "";

function faultsOf(steps: readonly string[], frontMatter = "") {
  const procedure = steps.map((step, index) => `${index + 1}. **Step ${index + 1}**: Do it.\n${step}`).join("\n");
  const source = `---\nmode: auto\n${frontMatter}---\n# Runbook: X\n\n## Scenario\nx\n\n## Procedure\n\n${procedure}\n\n## Verification\n- ok: \`1 == 1\`\n`;
  const { runbook, diagnostics } = parseRunbook({ file: "runbooks/x.md", source, catalogue });
  if (runbook === undefined) throw new Error(JSON.stringify(diagnostics));
  return findLoweringFaults(runbook, catalogue).map(({ rule, message, severity }) => `${severity} ${rule}: ${message}`);
}

const reads = "When: `steps.step_1.result.exit_code == 0`";

it.each([
  ["may fail and let the run continue", ["If this fails: continue"]],
  ["may fail and be skipped by a person", ["If this fails: retry 2 times, then ask"]],
  ["may be skipped", ["When: `1 == 1`"]],
  ["may fail and let the run go on", ['If this fails: go to "Step 2"']],
])("warns of a step that lowers and depends on one that %s", (why, bullets) => {
  expect(faultsOf([command("start", ...bullets), command("stop", reads)])).toEqual([
    `warning lowering-may-be-skipped: Step 2 lowers, and its When reads step 1, which ${why}: then it has no result, and step 2 is skipped.`,
  ]);
});

it("warns of one that depends on a step that a person does, or that may be jumped over", () => {
  expect(faultsOf([manual, command("stop", reads)])).toEqual([expect.stringContaining("step 1, which a person does")]);
  const jump = command("start", 'If this fails: go to "Step 3"');
  expect(faultsOf([jump, command("start"), command("stop", "When: `steps.step_2.result.exit_code == 0`")])).toEqual([
    expect.stringContaining("step 2, which may be jumped over by step 1"),
  ]);
});

it("has nothing against one that depends on a step without which the run is over, or against one that raises", () => {
  expect(faultsOf([command("start"), command("stop", reads)])).toEqual([]);
  expect(faultsOf([command("start", "If this fails: undo"), command("stop", reads)])).toEqual([]);
  expect(faultsOf([command("start", "If this fails: continue"), command("start", reads)])).toEqual([]);
  expect(faultsOf([command("start", 'If this fails: go to "Step 3"'), command("stop", reads), command("start")])).toEqual([]);
});

it("warns where undo follows a step that lowers, and where it is the Undo of one", () => {
  expect(faultsOf([command("stop"), command("start"), command("start", "If this fails: undo")])).toEqual([
    "warning undo-keeps-lowering: Step 3 may undo the run, and step 1 lowers: an undo keeps what lowers.",
  ]);
  expect(faultsOf([command("start", "If this fails: undo"), command("stop")])).toEqual([]);
  expect(faultsOf([command("stop", "Undo: `run-command`\n     ```yaml\n     command: start\n     ```")])).toEqual([
    "warning undo-keeps-lowering: Step 1 lowers, and an undo keeps what lowers: its Undo is never done.",
  ]);
  expect(faultsOf([command("stop"), command("stop"), command("start")], "on_resolved: undo\n")).toEqual([
    "warning undo-keeps-lowering: `on_resolved: undo` undoes the run, and steps 1 and 2 lower: an undo keeps what lowers.",
  ]);
});
