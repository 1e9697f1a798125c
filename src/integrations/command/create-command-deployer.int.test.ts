import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aCommandTemplate } from "../../../test/builders/action-bench.ts";
import { createSystemClock } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import { sha256 } from "../../core/json.ts";
import { createCommandDeployer } from "./create-command-deployer.ts";
import { createCommandRunner } from "./create-command-runner.ts";
import { createCommandTests } from "./create-command-tests.ts";

const sha = "b".repeat(40);
const hex = { kind: "pattern", pattern: "[0-9a-f]{40,64}", leadingDash: false } as const;
const clock = createSystemClock();

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-commit-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A program of this name. `$1` is the commit, `$2` the key. */
function program(name: string, script: string): string {
  const path = join(root, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function depsOf(script: string, change: Partial<CommandTemplate> = {}) {
  const template = aCommandTemplate({
    name: "job",
    argv: [program("job.sh", script), "{sha}", "{key}"],
    args: { sha: hex, key: hex },
    env: { PATH: "/usr/bin:/bin", ROOT: root },
    effect: "set",
    ...change,
  });
  const redact = (text: string) => text.replaceAll("hunter2hunter2", "[secret]");
  return { commands: createCommandRunner({ templates: [template], clock, setpriv: undefined, redact, graceMs: 200 }), clock };
}

const call = { name: "job", sha, key: "run-1 step", signal: new AbortController().signal };

describe("tests by a command", () => {
  const test = async (script: string, change: Partial<CommandTemplate> = {}) => createCommandTests(depsOf(script, change))(call);

  it("are what the last line says, however much stands before it", async () => {
    const script = `head -c 300000 /dev/zero | tr '\\0' 'x'; echo; echo '{"sha":"'$1'","passed":6,"failed":0}'`;
    expect(await test(script)).toEqual({ sha, passed: 6, failed: 0, skipped: 0 });
  });

  it("may have failed with a status that says so", async () => {
    expect(await test(`echo '{"sha":"'$1'","passed":4,"failed":2,"skipped":1}'; exit 1`)).toEqual({
      sha,
      passed: 4,
      failed: 2,
      skipped: 1,
    });
  });

  it.each([
    ["a status that denies what it printed", `echo '{"sha":"'$1'","passed":6,"failed":0}'; exit 1`, "says that no test failed"],
    ["no result", "echo 6 passed", "its last line is no result of tests"],
    ["a result that is not the last line", `echo '{"sha":"'$1'","passed":6,"failed":0}'; echo done`, "its last line is no result of tests"],
    ["a short commit", `echo '{"sha":"bbbbbbb","passed":6,"failed":0}'`, "its last line is no result of tests"],
    ["a negative count", `echo '{"sha":"'$1'","passed":6,"failed":-1}'`, "its last line is no result of tests"],
    ["a secret on its error stream", "echo 'login with hunter2hunter2 refused' >&2; exit 3", "login with [secret] refused"],
  ])("are no result with %s", async (_what, script, message) => {
    await expect(test(script)).rejects.toMatchObject({ failure: { message: expect.stringContaining(message), applied: "no" } });
  });

  it("end at the time that the command has", async () => {
    await expect(test("sleep 20", { timeoutMs: 300 })).rejects.toMatchObject({ failure: { reason: "timeout", applied: "unknown" } });
  });

  it("are not begun by a command that needs something else", async () => {
    const args = { sha: hex, key: hex, color: hex };
    await expect(test("exit 0", { args, argv: ["/bin/true", "{sha}", "{key}", "{color}"] })).rejects.toMatchObject({
      failure: { reason: "invalid_parameters", message: expect.stringContaining("Argument color is missing") },
    });
  });
});

describe("a deployment by a command", () => {
  const deploy = async (script: string, change: Partial<CommandTemplate> = {}) => createCommandDeployer(depsOf(script, change))(call);

  it("gives the commit and the same key for the same work", async () => {
    const script = `echo "$2" >> $ROOT/keys; echo '{"sha":"'$1'","url":"https://desk.example/deployments/1"}'`;
    const started = createCommandDeployer(depsOf(script));
    expect(await started(call)).toEqual({ sha, url: "https://desk.example/deployments/1" });
    await started(call);
    expect(readFileSync(join(root, "keys"), "utf8")).toBe(`${sha256(call.key)}\n`.repeat(2));
  });

  const probed = () =>
    ({
      effect: "probed",
      probe: {
        argv: [program("probe.sh", "test -e $ROOT/deployed && exit 0; test -e $ROOT/broken && exit 9; exit 1"), "{sha}"],
        applied: [0],
        notApplied: [1],
      },
    }) as const;

  it("is not begun again where its probe says that it happened", async () => {
    const started = createCommandDeployer(depsOf(`echo x >> $ROOT/deployed; echo '{"sha":"'$1'"}'`, probed()));
    expect(await started(call)).toEqual({ sha });
    expect(await started(call)).toEqual({ sha });
    expect(readFileSync(join(root, "deployed"), "utf8")).toBe("x\n");
  });

  it("is not begun where its probe cannot tell", async () => {
    writeFileSync(join(root, "broken"), "");
    await expect(deploy("touch $ROOT/deployed", probed())).rejects.toMatchObject({
      failure: { reason: "unknown_outcome", applied: "unknown", message: expect.stringContaining("status 9") },
    });
    expect(existsSync(join(root, "deployed"))).toBe(false);
  });

  it("is not begun by a command that may not run twice and cannot be probed", async () => {
    await expect(deploy("touch $ROOT/deployed", { effect: "once" })).rejects.toMatchObject({ failure: { reason: "invalid_parameters" } });
    expect(existsSync(join(root, "deployed"))).toBe(false);
  });

  it.each([
    ["ended with another status", "echo half >&2; exit 1", { reason: "refused_by_target", applied: "unknown" }],
    ["does not say what it deployed", "echo done", { reason: "refused_by_target", applied: "unknown" }],
    ["says that it did nothing", "exit 4", { reason: "refused_by_target", applied: "no" }],
    ["left a process behind", `sleep 30 & echo '{"sha":"'$1'"}'`, { reason: "refused_by_target", applied: "unknown" }],
  ])("has failed when the command %s", async (_what, script, failure) => {
    await expect(deploy(script, { notAppliedExits: [4] })).rejects.toMatchObject({ failure });
  });
});
