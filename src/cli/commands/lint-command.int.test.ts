import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { findProgram } from "../../../demo/find-program.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { packageFolder } from "../process-context.ts";
import { runCli } from "../run-cli.ts";

let workingDirectory = "";

beforeEach(() => {
  workingDirectory = mkdtempSync(join(tmpdir(), "runbookd-documents-"));
  for (const folder of ["runbooks", "alerts"]) cpSync(join(packageFolder(), folder), join(workingDirectory, folder), { recursive: true });
});

afterEach(() => rmSync(workingDirectory, { recursive: true }));

function breakCostRunbook(): void {
  const file = join(workingDirectory, "runbooks/cost-incident-response.md");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("Action: `pause-batches`", "Action: `pause-batchs`"));
}

it("finds nothing wrong with the shipped runbooks", async () => {
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/\n0 errors, \d+ warnings?\n$/);
});

it("prints file:line:column and what would be accepted, and answers 1", async () => {
  breakCostRunbook();
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], context, "1")).toBe(1);
  expect(context.printed.out).toMatch(/^runbooks\/cost-incident-response\.md:\d+:\d+: error .*pause-batchs.*accepted: .*pause-batches/m);
});

it("prints SARIF and JSON", async () => {
  breakCostRunbook();
  const sarif = aCommandContext({ workingDirectory });
  await runCli(["lint", "--format", "sarif"], sarif, "1");
  expect(JSON.parse(sarif.printed.out)).toMatchObject({ version: "2.1.0" });
  const json = aCommandContext({ workingDirectory });
  await runCli(["lint", "--json"], json, "1");
  expect(JSON.parse(json.printed.out)).toMatchObject({ diagnostics: [{ severity: "error" }] });
});

it("colours on a terminal and not when NO_COLOR is set", async () => {
  breakCostRunbook();
  const coloured = aCommandContext({ workingDirectory, isTerminal: true });
  await runCli(["lint"], coloured, "1");
  expect(coloured.printed.out).toContain("\u001b[31m");
  const plain = aCommandContext({ workingDirectory, isTerminal: true, env: { NO_COLOR: "1" } });
  await runCli(["lint"], plain, "1");
  expect(plain.printed.out).not.toContain("\u001b");
});

it("answers 2 to a path that does not exist and 1 to a folder without runbooks", async () => {
  expect(await runCli(["lint", "nowhere"], aCommandContext({ workingDirectory }), "1")).toBe(2);
  expect(await runCli(["lint", "alerts"], aCommandContext({ workingDirectory }), "1")).toBe(1);
});

it.each(["alerts.yaml", "alerts.yml", "team/payments/alerts.rules.yml"])("reads rules from %s", async (name) => {
  rmSync(join(workingDirectory, "alerts/alertmanager.yml"));
  const rules = join(workingDirectory, "alerts/rules");
  rmSync(rules, { recursive: true });
  mkdirSync(dirname(join(rules, name)), { recursive: true });
  writeFileSync(
    join(rules, name),
    "groups: [{ name: a, rules: [{ alert: A, expr: up == 0, labels: { severity: critical, runbook: gone } }] }]\n",
  );
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], context, "1")).toBe(1);
  expect(context.printed.out).toContain(`alerts/rules/${name}:1:`);
  expect(context.printed.out).toContain("alert-unknown-runbook");
});

it.each([
  ["runbooks/zz-own.md", "## Caf\u00e9"],
  ["alerts/rules/own.yml", "groups: # caf\u00e9"],
  ["alerts/alertmanager.yml", "route: # caf\u00e9"],
])("refuses %s that is not UTF-8, with its place, and reads the others", async (name, text) => {
  breakCostRunbook();
  writeFileSync(join(workingDirectory, name), Buffer.from(`# first line\n${text}\n`, "latin1"));
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], context, "1")).toBe(1);
  expect(context.printed.out).toContain(`${name}:2:${text.indexOf("\u00e9") + 1}: error encoding: The byte 0xe9 is no UTF-8.`);
  expect(context.printed.out).toContain("pause-batchs");
  // Neither the names of other files nor the rules of this one are said to be missing.
  expect(context.printed.out).toContain("2 errors");
});

it("says that no rule was read: a folder without rules is a warning, no folder is said behind the counts", async () => {
  rmSync(join(workingDirectory, "alerts"), { recursive: true });
  const absent = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], absent, "1")).toBe(0);
  expect(absent.printed.out).toMatch(/; no alerting rule was read, so nothing was compared with alerts\n$/);
  mkdirSync(join(workingDirectory, "alerts/rules"), { recursive: true });
  writeFileSync(join(workingDirectory, "alerts/rules/README.md"), "nothing\n");
  const empty = aCommandContext({ workingDirectory });
  expect(await runCli(["lint", "--strict"], empty, "1")).toBe(1);
  expect(empty.printed.out).toContain("alerts/rules:1:1: warning no-rules");
});

it("maps severities by runbookd.yml", async () => {
  const file = join(workingDirectory, "alerts/rules/own.yml");
  writeFileSync(file, "groups: [{ name: a, rules: [{ alert: A, expr: up == 0, labels: { severity: page, runbook: none } }] }]\n");
  expect(await runCli(["lint"], aCommandContext({ workingDirectory }), "1")).toBe(1);
  writeFileSync(join(workingDirectory, "runbookd.yml"), "severities: { page: critical }\n");
  expect(await runCli(["lint"], aCommandContext({ workingDirectory }), "1")).toBe(0);
});

it("reads runbooks of sub-folders, through links to files, and nothing hidden", async () => {
  const folder = join(workingDirectory, "runbooks");
  mkdirSync(join(folder, "node/deep"), { recursive: true });
  mkdirSync(join(folder, ".git"));
  renameSync(join(folder, "cost-incident-response.md"), join(folder, "node/deep/cost-incident-response.md"));
  writeFileSync(join(folder, "node/Bad_Name.md"), "# x\n");
  writeFileSync(join(folder, ".git/hidden.md"), "# x\n");
  symlinkSync("/nowhere", join(folder, "node/dangling.md"));
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], context, "1")).toBe(1);
  expect(context.printed.out).toContain("runbooks/node/deep/cost-incident-response.md: ");
  expect(context.printed.out).toContain("runbooks/node/Bad_Name.md:1:1: error file-name");
  expect(context.printed.out).toContain("runbooks/node/dangling.md:1:1: error unreadable");
  expect(context.printed.out).not.toContain("hidden.md");
});

it.each([
  ["a link to nothing", (path: string) => symlinkSync("/nowhere", path)],
  ["a named pipe", (path: string) => execFileSync("mkfifo", [path])],
  ["a device", (path: string) => symlinkSync("/dev/zero", path)],
  ["a folder", (path: string) => symlinkSync("/tmp", path)],
])("names %s that is called like a document of a folder", async (kind, put) => {
  for (const name of ["runbooks/odd.md", "alerts/rules/odd.yml"]) put(join(workingDirectory, name));
  put(join(workingDirectory, "runbooks/odd.txt"));
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint"], context, "1")).toBe(1);
  for (const name of ["runbooks/odd.md", "alerts/rules/odd.yml"])
    expect(context.printed.out).toContain(`${name}:1:1: error unreadable: This is ${kind} and no file, so nothing was read.`);
  expect(context.printed.out).toContain("\n2 errors");
});

it("answers one line to a folder without runbooks", async () => {
  mkdirSync(join(workingDirectory, "empty/deeper"), { recursive: true });
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["lint", "empty"], context, "1")).toBe(1);
  expect(context.printed.out).toBe("");
  expect(context.printed.err.trim().split("\n")).toEqual(["There is no runbook in there; accepted: files that end in .md"]);
});

it.each([
  [true, 1],
  [false, 0],
])("ends silently with its own exit code when the reader of its output is gone (broken: %s)", async (isBroken, expected) => {
  if (isBroken) breakCostRunbook();
  const child = spawn(process.execPath, [join(packageFolder(), "dist/src/cli/main.js"), "lint"], {
    cwd: workingDirectory,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += String(chunk)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, errors }).toEqual({ code: expected, errors: "" });
});

it("counts warnings as errors when strict", async () => {
  writeFileSync(
    join(workingDirectory, "runbooks/bare.md"),
    "# Runbook: Bare\n\n## Scenario\nNothing checks it.\n\n## Procedure\n\n1. **Stop**: Stops.\n   - Action: `pause-batches`\n     ```yaml\n     budget: checkout\n     reason: a test\n     ```\n",
  );
  expect(await runCli(["lint", "runbooks/bare.md"], aCommandContext({ workingDirectory }), "1")).toBe(0);
  expect(await runCli(["lint", "runbooks/bare.md", "--strict"], aCommandContext({ workingDirectory }), "1")).toBe(1);
});

it("writes the index, finds it stale after a change, and does not write when checking", async () => {
  expect(await runCli(["index"], aCommandContext({ workingDirectory }), "1")).toBe(0);
  expect(await runCli(["index", "--check"], aCommandContext({ workingDirectory }), "1")).toBe(0);
  writeFileSync(join(workingDirectory, "runbooks/README.md"), "old\n");
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["index", "--check", "--json"], context, "1")).toBe(1);
  expect(JSON.parse(context.printed.out)).toEqual({ file: "runbooks/README.md", stale: true, written: false });
  expect(readFileSync(join(workingDirectory, "runbooks/README.md"), "utf8")).toBe("old\n");
});

it("writes no index of a set with errors", async () => {
  breakCostRunbook();
  expect(await runCli(["index"], aCommandContext({ workingDirectory }), "1")).toBe(1);
});

it.each(["runbook", "actions", "config"])("prints the JSON Schema of %s", async (what) => {
  const context = aCommandContext();
  expect(await runCli(["schema", what, "--json"], context, "1")).toBe(0);
  expect(JSON.parse(context.printed.out)).toMatchObject({ type: "object" });
});

it("answers 2 to a schema that does not exist", async () => {
  const context = aCommandContext();
  expect(await runCli(["schema", "everything"], context, "1")).toBe(2);
  expect(context.printed.err).toContain("accepted: runbook, actions, config");
});

it("writes a new runbook with an alert, its test and a rehearsal, all of which pass", async () => {
  const context = aCommandContext({ workingDirectory });
  expect(await runCli(["new", "payment-backlog"], context, "1")).toBe(0);
  // promtool words the alerts of some rehearsals.
  const rehearsal = aCommandContext({
    workingDirectory,
    env: { PATH: `${dirname(findProgram("promtool"))}:${process.env["PATH"] ?? ""}` },
  });
  const answered = await runCli(["rehearse"], rehearsal, "1");
  expect(rehearsal.printed.out + rehearsal.printed.err).toMatch(/, 0 failed/);
  expect(answered).toBe(0);
  expect(context.printed.out).toContain("alerts/tests/payment-backlog.test.yml\n");
  const lint = aCommandContext({ workingDirectory });
  await runCli(["lint", "--json"], lint, "1");
  expect(lint.printed.out).not.toMatch(/"file": ?"[^"]*payment-backlog[^"]*"[^}]*"severity"/);
  expect(lint.printed.out).toContain('"id": "payment-backlog"');
});

it("overwrites nothing, and answers 2 to an id that is none", async () => {
  expect(await runCli(["new", "cost-incident-response"], aCommandContext({ workingDirectory }), "1")).toBe(1);
  expect(await runCli(["new", "../escape"], aCommandContext({ workingDirectory }), "1")).toBe(2);
});

it("knows the commands that runbookd.yml registers", async () => {
  const file = join(workingDirectory, "runbooks/cost-incident-response.md");
  const text = readFileSync(file, "utf8");
  writeFileSync(join(workingDirectory, "runbookd.yml"), "commands: { restart: { argv: [/bin/true], env_files: { TOKEN: /no/such } } }\n");
  const lint = async (command: string) => {
    writeFileSync(
      file,
      text.replace(
        /Action: `pause-batches`[\s\S]*?```yaml[\s\S]*?```/,
        `Action: \`run-command\`\n     \`\`\`yaml\n     command: ${command}\n     \`\`\``,
      ),
    );
    const context = aCommandContext({ workingDirectory });
    await runCli(["lint"], context, "1");
    return context.printed.out;
  };
  expect(await lint("reboot")).toMatch(/`command` of `run-command`: no registered command; accepted: restart/);
  expect(await lint("restart")).not.toContain("run-command");
});
