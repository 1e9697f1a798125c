import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { asyncProperty, constantFrom, assert as fcAssert, integer, uniqueArray } from "fast-check";
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
const run = async (...args: readonly string[]) => runAs([git, ...args]);

async function runAs(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const bench = createActionBench();
  const template = aCommandTemplate({ name: "git", argv, env, cwd: folder, timeoutMs: 20_000 });
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

describe("the configuration of a repository", () => {
  let repository: string;
  let evil: string;
  const plainly = (cwd: string, ...args: readonly string[]) =>
    execFileSync(git, ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always", ...args], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  /** Without the protection of what is tested, and without an end for a failure. */
  const carelessly = (cwd: string, ...args: readonly string[]) => {
    try {
      plainly(cwd, ...args);
    } catch {
      // Only what it ran matters.
    }
  };

  /** Two branches that conflict, changes that are not committed, and a submodule; every file has drivers and filters called `x`. */
  beforeEach(() => {
    repository = join(folder, "repository");
    evil = join(folder, "evil.sh");
    writeFileSync(evil, `#!/bin/sh\n: > ${marker}\nexit 0\n`, { mode: 0o755 });
    const lib = join(folder, "lib");
    for (const at of [lib, repository]) {
      mkdirSync(at);
      plainly(at, "init", "-q", "-b", "main");
      writeFileSync(join(at, ".gitattributes"), "* filter=x diff=x merge=x\n");
      writeFileSync(join(at, "a.txt"), "one\n");
      plainly(at, "add", "-A");
      plainly(at, "commit", "-qm", "one");
    }
    plainly(repository, "submodule", "add", "-q", lib, "lib");
    plainly(repository, "commit", "-qm", "lib");
    for (const [branch, text] of [
      ["side", "theirs\n"],
      ["main", "ours\n"],
    ] as const) {
      plainly(repository, "checkout", "-q", "-B", branch);
      writeFileSync(join(repository, "a.txt"), text);
      plainly(repository, "commit", "-qam", branch);
      if (branch === "side") plainly(repository, "checkout", "-q", "-B", "main", "HEAD~1");
    }
    writeFileSync(join(repository, "new.txt"), "new\n");
    writeFileSync(join(repository, "lib", "a.txt"), "changed\n");
  });

  const commands: readonly (readonly string[])[] = [
    ["status"],
    ["diff", "HEAD~1"],
    ["log", "-p", "-1", "--show-signature"],
    ["blame", "a.txt"],
    ["grep", "--textconv", "one"],
    ["archive", "--format=x", "HEAD"],
    ["x"],
    ["difftool", "-y", "--tool=x", "HEAD~1"],
    ["interpret-trailers", "--trailer", "x=1", "a.txt"],
    ["ls-remote", "ssh://git@127.0.0.1:9/x"],
    ["fetch", "x"],
    ["push", "x", "main"],
    ["add", "-A"],
    ["commit", "-q", "-m", "more"],
    ["merge", "side", "-m", "merged"],
    ["merge", "--abort"],
    ["rebase", "side"],
    ["rebase", "--abort"],
    ["submodule", "update", "--init"],
    ["stash"],
    ["checkout", "-q", "side"],
    ["cherry-pick", "main"],
    ["help", "-w", "status"],
    ["worktree", "add", "-q", "../tree", "main"],
    ["gc", "--prune=now", "-q"],
  ];

  const programs = [
    "core.hooksPath",
    "core.fsmonitor",
    "core.sshCommand",
    "core.askPass",
    "core.gitProxy",
    "core.pager",
    "core.editor",
    "core.alternateRefsCommand",
    "sequence.editor",
    "credential.helper",
    "credential.https://x.helper",
    "gpg.program",
    "gpg.ssh.program",
    "filter.x.clean",
    "filter.x.smudge",
    "filter.x.process",
    "merge.x.driver",
    "diff.x.textconv",
    "diff.x.command",
    "diff.external",
    "alias.x",
    "alias.status",
    "pager.status",
    "tar.x.command",
    "trailer.x.command",
    "trailer.x.cmd",
    "difftool.x.cmd",
    "mergetool.x.cmd",
    "remote.x.uploadpack",
    "remote.x.receivepack",
    "remote.x.vcs",
    "submodule.lib.update",
    "browser.x.cmd",
    "man.x.cmd",
    "web.browser",
    "hook.x.command",
    "interactive.diffFilter",
    "lfs.customtransfer.x.path",
    "lfs.extension.x.clean",
    "sendemail.smtpserver",
    "imap.tunnel",
  ];
  const known = execFileSync(git, ["help", "--config"], { encoding: "utf8" })
    .split("\n")
    .filter((key) => /^[a-z][\w.<>*() -]*\.[\w<>*() -]+$/i.test(key))
    .map((key) => key.replaceAll(/<[^>]*>|\*|\([^)]*\)/g, "x").replaceAll(/[ ]/g, ""));

  /** Values in which a key takes a program: itself, as a shell's command, as a name of `x`. */
  const valueOf = (key: string): string =>
    /^alias\.|submodule\..*update$/.test(key) ? `!${evil}` : key === "core.hooksPath" ? folder : key === "remote.x.vcs" ? "ext" : evil;

  function name(at: string, keys: readonly string[]): void {
    plainly(at, "config", "remote.x.url", `ext::${evil}`);
    plainly(at, "config", "hook.x.event", "pre-commit");
    for (const [key, value] of [
      ["gpg.format", "ssh"],
      ["user.name", "a"],
      ["user.email", "a@b"],
    ] as const)
      plainly(at, "config", key, value);
    for (const key of keys) plainly(at, "config", key, valueOf(key));
  }

  it.each([
    ["program", programs, 0],
    // A file whose filter may not run is refused, and little is done.
    ["program but filters", programs.filter((key) => !key.startsWith("filter.")), 9],
  ])(
    "names no %s that is run, whatever git is told to do, there and in a submodule",
    async (_name, keys, minDone) => {
      name(repository, keys);
      name(join(repository, "lib"), keys);
      for (const [event] of [["pre-commit"], ["post-checkout"], ["post-merge"], ["post-index-change"], ["reference-transaction"]] as const)
        writeFileSync(join(repository, ".git", "hooks", event), readFileSync(evil), { mode: 0o755 });
      const outcomes: string[] = [];
      for (const args of commands) {
        outcomes.push(await run("-C", repository, ...args));
        expect([args, existsSync(marker)]).toEqual([args, false]);
      }
      expect(outcomes.filter((outcome) => outcome === "done").length).toBeGreaterThanOrEqual(minDone);
      expect(outcomes.filter((outcome) => outcome.includes("could not be started"))).toEqual([]);
      // By hand many of them run one: the test would see it.
      const ran = commands.filter((args) => {
        rmSync(marker, { force: true });
        carelessly(repository, ...args);
        return existsSync(marker);
      });
      expect(ran.length).toBeGreaterThan(commands.length / 3);
    },
    240_000,
  );

  it("names none by any key that git knows", async () => {
    await fcAssert(
      asyncProperty(
        uniqueArray(constantFrom(...known), { minLength: 20, maxLength: 20 }),
        integer({ min: 0, max: 2 }),
        async (keys, part) => {
          const config = readFileSync(join(repository, ".git", "config"));
          for (const key of keys) carelessly(repository, "config", key, evil);
          for (const args of commands.filter((_args, index) => index % 3 === part)) await run("-C", repository, ...args);
          writeFileSync(join(repository, ".git", "config"), config);
          expect([keys, existsSync(marker)]).toEqual([keys, false]);
        },
      ),
      { seed: 12, numRuns: 10 },
    );
  }, 240_000);

  it.each([
    ["a wrapper", () => ["/usr/bin/timeout", "20", git]],
    ["an environment of its own", () => ["/usr/bin/env", "-u", "LANG", git]],
  ])("names none when git is started by %s", async (_name, start) => {
    name(repository, programs);
    await runAs([...start(), "-C", repository, "status"], { PATH: "/usr/bin:/bin" });
    await runAs([...start(), "-C", repository, "checkout", "-q", "-f", "side"], { PATH: "/usr/bin:/bin" });
    expect(existsSync(marker)).toBe(false);
  });

  it("keeps what the account names, and refuses a file whose filter is named by the repository", async () => {
    const home = join(folder, "home");
    mkdirSync(home);
    const mine = join(folder, "mine.sh");
    writeFileSync(mine, `#!/bin/sh\n: > ${folder}/mine-ran\ncat\n`, { mode: 0o755 });
    writeFileSync(join(home, ".gitconfig"), `[filter "x"]\n\tclean = ${mine}\n\tsmudge = ${mine}\n`);
    expect(await runAs([git, "-C", repository, "add", "new.txt"], { HOME: home })).toBe("done");
    expect(existsSync(join(folder, "mine-ran"))).toBe(true);
    name(repository, ["filter.x.clean"]);
    expect(await runAs([git, "-C", repository, "add", "-f", "new.txt", "a.txt"], { HOME: home })).toBe("done");
    writeFileSync(join(repository, "b.txt"), "b\n");
    expect(await run("-C", repository, "add", "b.txt")).toMatch(/clean filter 'x' failed/);
    expect(existsSync(marker)).toBe(false);
  });

  it.each([["gc.recentObjectsHook"], ["includeIf.onbranch:side.path"]])("that has %s is refused before git runs", async (key) => {
    plainly(repository, "config", key, evil);
    expect(await run("-C", repository, "status")).toMatch(
      /names what cannot be made harmless: (?:gc\.recentobjectshook|includeif\.onbranch:side\.path)/,
    );
  });
});
