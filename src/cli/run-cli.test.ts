import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import type { Command } from "commander";
import { scopeGrammar } from "../../packages/sdk/src/wire/freezes.ts";
import { aCommandContext } from "../../test/builders/command-context.ts";
import { createProgram, runCli } from "./run-cli.ts";

function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

const whole = await createProgram(aCommandContext(), { exit: () => undefined, version: "1" });
const commands = leaves(whole).map((command): [string, Command] => [command.name(), command]);

it.each(commands)("%s has a summary, --json and an example", (_name, command) => {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  expect(command.description()).not.toBe("");
  expect(help).toContain("--json");
  expect(help).toMatch(/Examples?:\n {2}\$ (?:[A-Z_]+=\S+ )*runbookd /);
});

it("lists every command as it is, though none is loaded", async () => {
  const context = aCommandContext();
  await runCli(["--help"], context, "1");
  expect(context.printed.out).toBe(whole.helpInformation());
});

it("names each command once", () => {
  const names = whole.commands.map((command) => command.name());
  expect(new Set(names).size).toBe(names.length);
});

it("suggests the command that was meant", async () => {
  const context = aCommandContext();
  expect(await runCli(["lnit"], context, "1")).toBe(2);
  expect(context.printed.err).toContain("Did you mean lint?");
});

it("says of a freeze which scopes there are", () => {
  expect(whole.commands.find((command) => command.name() === "freeze")?.description()).toContain(scopeGrammar);
});

it("answers 0 to --help and --version and 2 to what it does not know", async () => {
  const context = aCommandContext();
  expect(await runCli(["--help"], context, "1.2.3")).toBe(0);
  expect(await runCli(["--version"], context, "1.2.3")).toBe(0);
  expect(await runCli(["frobnicate"], context, "1.2.3")).toBe(2);
  expect(await runCli(["runs", "list", "--frob"], context, "1.2.3")).toBe(2);
  expect(context.printed.out).toContain("1.2.3\n");
});

it("colours nothing without a terminal", async () => {
  const context = aCommandContext();
  await runCli(["--help"], context, "1");
  await runCli(["runs", "list"], context, "1");
  expect(context.printed.out + context.printed.err).not.toContain("\u001b");
});

it("takes the admin token of the data folder for loopback only", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runbookd-cli-"));
  try {
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "data", "admin-token"), "adm1n\n");
    const context = aCommandContext({ env: { RUNBOOKD_DATA: join(folder, "data") } });
    await runCli(["runs", "list"], context, "1");
    await runCli(["runs", "list", "--url", "https://runbookd.example"], context, "1");
    expect(context.requests.map((request) => request.authorization)).toEqual(["Bearer adm1n", null]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
