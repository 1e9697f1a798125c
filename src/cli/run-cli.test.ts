import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Command } from "commander";
import { array, assert, asyncProperty, constantFrom, oneof, string } from "fast-check";
import { scopeGrammar } from "../../packages/sdk/src/wire/freezes.ts";
import { aCommandContext } from "../../test/builders/command-context.ts";
import { eraseLine, paint, withCleanOutput } from "./context.ts";
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

describe("what is printed", () => {
  const hostile = array(
    oneof(constantFrom("\u202e", "\u009b", "\u0085", "\u200b", "\u007f", "\u001b[2J", "\r", "\u{e0041}", "\ufeff"), string()),
    {
      minLength: 1,
      maxLength: 6,
    },
  ).map((parts) => parts.join(""));
  // Apart from the class that the code uses: what a terminal acts on, turns or does not show.
  // oxlint-disable-next-line no-control-regex -- that none of them is left is what is tested
  const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

  const show = async (text: string, more: readonly string[], isTerminal = false) => {
    const summary = {
      id: "run_1",
      runbookId: "cost",
      runbookSha: "a",
      mode: "auto",
      state: "ended",
      source: "manual",
      acceptedAt: 0,
      note: text,
    };
    const journal = [{ kind: "finished", at: 0, outcome: "failed", reason: text }];
    const body = { summary, journal, runbookSource: text, report: { text } };
    const context = aCommandContext({ answers: { "GET /api/runs/run_1": { status: 200, body } }, isTerminal });
    const code = await runCli(["runs", "show", "run_1", ...more], context, "1");
    return { code, out: context.printed.out, err: context.printed.err, body };
  };

  it("holds no raw control, turning or invisible character of what a server answers, and --json still is what it answered", async () => {
    await assert(
      asyncProperty(hostile, async (text) => {
        const shown = await show(text, []);
        expect(shown.code).toBe(0);
        expect(shown.out).not.toMatch(raw);
        const json = await show(text, ["--json"]);
        expect(json.out).not.toMatch(raw);
        expect(JSON.parse(json.out)).toEqual(json.body);
      }),
    );
  });

  it("holds none of what was typed either", async () => {
    await assert(
      asyncProperty(hostile, async (text) => {
        const context = aCommandContext();
        await runCli([`x${text}`], context, "1");
        expect(context.printed.err).not.toMatch(raw);
        expect(context.printed.err).toContain("unknown command");
      }),
    );
  });

  it("keeps the own colours on a terminal and writes out every other sequence", () => {
    const printed: string[] = [];
    const inner = { ...aCommandContext({ isTerminal: true }), write: (text: string) => void printed.push(text) };
    const context = withCleanOutput(inner);
    context.write(`${paint(context, "red", "no")} \u001b[2J\u001b]0;title\u0007\u202e`);
    context.write(`${eraseLine}half ${eraseLine}done`);
    withCleanOutput({ ...inner, env: { NO_COLOR: "1" } }).write("\u001b[31mred");
    expect(printed).toEqual([
      "\u001b[31mno\u001b[0m \\u001b[2J\\u001b]0;title\\u0007\\u202e",
      `${eraseLine}half \\u000d\\u001b[2Kdone`,
      "\\u001b[31mred",
    ]);
  });
});
