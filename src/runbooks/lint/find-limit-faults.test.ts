import { expect, it } from "@jest/globals";
import { aCommandTemplate } from "../../../test/builders/action-bench.ts";
import { withCommands } from "../../actions/run-command.ts";
import { actionCatalogue } from "../../app/action-registry.ts";
import { parseRunbook } from "../parse/parse-runbook.ts";
import { findLimitFaults } from "./find-limit-faults.ts";

const catalogue = withCommands(actionCatalogue, [
  aCommandTemplate({ name: "restart", risk: "raises", target: "command/restart" }),
  aCommandTemplate({ name: "clean", risk: "raises", target: "command/clean" }),
  aCommandTemplate({ name: "stop", risk: "lowers", target: "command/stop" }),
]);

function faultsOf(steps: readonly string[], limits: { readonly [name: string]: number } = {}, frontMatter = "") {
  const procedure = steps.map((step, index) => `${index + 1}. **Step ${index + 1}**: Do it.\n${step}`).join("\n");
  const source = `---\nmode: approve\n${frontMatter}---\n# Runbook: X\n\n## Scenario\nx\n\n## Procedure\n\n${procedure}\n\n## Verification\n- ok: \`1 == 1\`\n`;
  const { runbook, diagnostics } = parseRunbook({ file: "runbooks/x.md", source, catalogue });
  if (runbook === undefined) throw new Error(JSON.stringify(diagnostics));
  return findLimitFaults(runbook, { catalogue, limits });
}
const command = (name: string) => `   - Action: \`run-command\`\n     \`\`\`yaml\n     command: ${name}\n     \`\`\`\n`;
const request = (url: string, method = "POST") =>
  `   - Action: \`http-request\`\n     \`\`\`yaml\n     url: ${url}\n     method: ${method}\n     \`\`\`\n`;

it("takes a command and a call, and a target twice, for what a run may do", () => {
  expect(faultsOf([command("restart"), request("https://a.example/x"), command("restart"), request("https://a.example/%78?y=1")])).toEqual(
    [],
  );
  expect(faultsOf([command("restart"), command("stop"), request("https://a.example/x", "GET"), request("https://a.example/y")])).toEqual(
    [],
  );
});

it("names the steps and the limit of a document that is refused half way", () => {
  expect(faultsOf([command("restart"), request("https://a.example/x"), command("clean")])).toEqual([
    expect.objectContaining({
      severity: "warning",
      rule: "limits",
      message: "Steps 1 and 3 raise 2 targets of kind `command`, and `targets_per_run` permits 1: the run is refused at step 3.",
    }),
  ]);
  expect(
    faultsOf([request("https://a.example/x"), request("https://a.example/y"), request("https://a.example/z")]).map(
      ({ message }) => message,
    ),
  ).toEqual([expect.stringContaining("at step 2"), expect.stringContaining("Steps 1, 2 and 3 raise 3 targets")]);
});

it("reads the configured limit, and the document's where it is lower", () => {
  const steps = [command("restart"), command("clean")];
  expect(faultsOf(steps, { targets_per_run: 2 })).toEqual([]);
  expect(faultsOf(steps, { targets_per_run: 2 }, "limits: { targets_per_run: 1 }\n")).toHaveLength(1);
  expect(faultsOf([command("restart")], { targets_per_run: 0 })).toHaveLength(1);
});

const sometimes = (step: string) => `   - When: \`1 == 2\`\n${step}`;
const messagesOf = (steps: readonly string[]) => faultsOf(steps).map(({ message }) => message);

it("says that steps with a `When` may count, where only they bring a run over its limit", () => {
  expect(messagesOf([command("restart"), sometimes(command("clean"))])).toEqual([
    "Steps 1 and 2 raise 2 targets of kind `command`, and `targets_per_run` permits 1. Step 2 with a `When` may count: the run may be refused at step 2.",
  ]);
  expect(messagesOf([sometimes(command("restart")), command("clean")])).toEqual([
    expect.stringContaining("Step 1 with a `When` may count: the run may be refused at step 2."),
  ]);
  expect(messagesOf([sometimes(command("restart")), sometimes(command("clean"))])).toEqual([
    expect.stringContaining("Steps 1, 2 with `When` may count"),
  ]);
  expect(messagesOf([sometimes(command("restart")), command("restart"), sometimes(command("stop"))])).toEqual([]);
});

it("is certain only of steps that are always done", () => {
  const [first, second, third] = messagesOf([command("restart"), sometimes(command("clean")), command("clean")]);
  expect(first).toContain("may be refused at step 2");
  expect(second).toContain(": the run is refused at step 3.");
  expect(third).toBeUndefined();
});
