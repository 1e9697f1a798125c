import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createActions } from "../src/app/action-registry.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { StepFailure } from "../src/core/failure.ts";
import { createCommandRunner } from "../src/integrations/command/create-command-runner.ts";
import { aCommandTemplate, createActionBench } from "./builders/action-bench.ts";

const git = execFileSync("/usr/bin/which", ["git"], { encoding: "utf8" }).trim();
let folder: string;
let marker: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-git-")));
  marker = join(folder, "a-hook-ran");
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs registered git with this argv, as a step of a run would. */
async function run(...args: readonly string[]): Promise<string> {
  const bench = createActionBench();
  const template = aCommandTemplate({ name: "git", argv: [git, ...args], cwd: folder, timeoutMs: 20_000 });
  const commands = createCommandRunner({ templates: [template], clock: createSystemClock(), setpriv: undefined, redact: (text) => text });
  const bound = createActions({ ...bench.ports, commands })
    .find("run-command")
    ?.bind({ command: "git" });
  if (bound?.ok !== true) throw new Error("The command cannot be bound.");
  const plan = await bound.action.plan(bench.context());
  return bound.action.run(plan, bench.context()).then(
    () => "done",
    (error: unknown) => (error instanceof StepFailure ? error.failure.message : String(error)),
  );
}

it("runs no hook and no monitor that a repository brings along", async () => {
  const repository = join(folder, "repository");
  mkdirSync(repository);
  const plainly = (...args: readonly string[]) => execFileSync(git, args, { cwd: repository, stdio: "ignore" });
  plainly("init", "-q");
  const evil = join(repository, ".git", "hooks", "post-checkout");
  mkdirSync(join(repository, ".git", "hooks"), { recursive: true });
  writeFileSync(evil, `#!/bin/sh\n: > ${marker}\n`);
  chmodSync(evil, 0o755);
  plainly("config", "core.fsmonitor", evil);
  plainly("-c", "core.fsmonitor=false", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x");
  rmSync(marker, { force: true });
  expect(await run("-C", repository, "checkout", "-q", "-b", "other")).toBe("done");
  expect(await run("-C", repository, "status")).toBe("done");
  expect(existsSync(marker)).toBe(false);
  // Without our environment both run: the test would see it.
  plainly("checkout", "-q", "-b", "third");
  expect(existsSync(marker)).toBe(true);
});

it("speaks no protocol that is a command or a file", async () => {
  expect(await run("clone", "--", `ext::sh -c :>${marker}`, "copy")).toMatch(/ext.* not allowed/);
  expect(await run("clone", "--", `file://${folder}`, "copy")).toMatch(/file.* not allowed/);
  expect(existsSync(marker)).toBe(false);
});
