import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { array, asyncProperty, constantFrom, assert as fcAssert, record, uint8Array } from "fast-check";
import { aGitRepository, git, plainly } from "../../../test/servers/git-repository.ts";
import { createGitCheckpoints } from "./create-git-checkpoints.ts";

let root: string;
const note = { stage: "partial", green: false, conversation: "" };

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-ordinary-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function open(files: Readonly<Record<string, string>> = {}) {
  const made = aGitRepository(root, { "a.txt": "base\n", ...files });
  const { folder: at } = await made.checkpoints.open("GH-1");
  return { ...made, at, repository: made.checkpoints };
}

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const kept = (folder: string, commit = "") => plainly(folder, "ls-tree", "-r", "--name-only", commit).split("\n");

describe("what a ticket's tools do with git", () => {
  it.each([
    ["a branch of its own", (at: string) => plainly(at, "switch", "-qc", "fix/slow-cart")],
    [
      "a branch of its own, with commits",
      (at: string) => {
        plainly(at, "switch", "-qc", "fix/slow-cart");
        plainly(at, "add", "-A");
        plainly(at, "commit", "-qm", "work");
      },
    ],
    [
      "a commit without a branch",
      (at: string) => {
        plainly(at, "add", "-A");
        plainly(at, "commit", "-qm", "work");
      },
    ],
    ["a branch without a beginning", (at: string) => plainly(at, "switch", "-q", "--orphan", "clean")],
  ])("%s leaves the work in a checkpoint, and the ticket goes on", async (name, act) => {
    const { folder, at, repository } = await open();
    if (name !== "a branch without a beginning") put(join(at, "work.txt"), "work");
    act(at);
    put(join(at, "work.txt"), "work");
    if (name === "a branch without a beginning") {
      plainly(at, "add", "-A");
      plainly(at, "commit", "-qm", "work");
    }
    const saved = await repository.save("GH-1", note);
    expect(kept(folder, saved?.commit)).toContain("work.txt");
    expect((await repository.open("GH-1")).folder).toBe(at);
    rmSync(at, { recursive: true });
    await repository.restore("GH-1", saved?.commit ?? "");
    expect(readFileSync(join(at, "work.txt"), "utf8")).toBe("work");
  });

  it("repositories inside, of any depth, with and without commits, are kept as files; a history is named as left out", async () => {
    const { folder, at, repository } = await open();
    const inner = record({ path: constantFrom("app", "app/web", "x/y z", "ü"), commits: constantFrom(true, false) });
    await fcAssert(
      asyncProperty(array(inner, { minLength: 1, maxLength: 3 }), async (repositories) => {
        for (const name of readdirSync(at)) if (name !== ".git") rmSync(join(at, name), { recursive: true });
        const histories = new Set<string>();
        for (const { path, commits } of repositories) {
          put(join(at, path, "i.js"), "1\n");
          plainly(join(at, path), "init", "-q");
          put(join(at, path, ".gitignore"), "*.log\n");
          put(join(at, path, "noise.log"), "noise");
          if (!commits) continue;
          plainly(join(at, path), "add", "i.js");
          plainly(join(at, path), "commit", "-q", "--allow-empty", "-m", "x");
          histories.add(`${path}/.git (the history of a repository inside)`);
        }
        put(join(at, "work.txt"), "work");
        const saved = await repository.save("GH-1", note);
        const files = repositories.flatMap(({ path }) => [`${path}/i.js`, `${path}/.gitignore`]);
        expect(
          plainly(folder, "ls-tree", "-r", "-z", "--name-only", saved?.commit ?? "")
            .split("\0")
            .filter((one) => one !== "")
            .toSorted(),
        ).toEqual([...new Set([...files, "work.txt"])].toSorted());
        expect(saved?.omitted ?? []).toEqual([...histories].toSorted());
        const whole = (await repository.list("GH-1")).at(-1);
        expect(whole).toEqual({ kind: "whole", checkpoint: saved });
      }),
      { seed: 5, numRuns: 8 },
    );
  }, 120_000);

  it("a repository inside that was added as a folder is kept as files too", async () => {
    const { folder, at, repository } = await open();
    put(join(at, "app", "i.js"), "1\n");
    plainly(join(at, "app"), "init", "-q");
    plainly(join(at, "app"), "add", "-A");
    plainly(join(at, "app"), "commit", "-qm", "x");
    plainly(at, "-c", "advice.addEmbeddedRepo=false", "add", "app");
    const saved = await repository.save("GH-1", note);
    expect(kept(folder, saved?.commit)).toContain("app/i.js");
  });

  it("changes inside a submodule are named, and its worktree is not removed", async () => {
    const { folder, at, repository } = await open();
    const lib = join(root, "lib");
    put(join(lib, "lib.js"), "1\n");
    plainly(lib, "init", "-q", "-b", "main");
    plainly(lib, "add", "-A");
    plainly(lib, "commit", "-qm", "lib");
    plainly(at, "-c", "protocol.file.allow=always", "submodule", "add", "-q", lib, "lib");
    plainly(at, "commit", "-qm", "submodule");
    expect((await repository.save("GH-1", note))?.omitted).toBeUndefined();
    put(join(at, "lib", "lib.js"), "fixed\n");
    put(join(at, "work.txt"), "work");
    const saved = await repository.save("GH-1", note);
    expect(saved?.omitted).toEqual(["lib (changes inside a submodule)"]);
    expect(kept(folder, saved?.commit)).toEqual(expect.arrayContaining(["lib", "work.txt"]));
    await expect(repository.open("GH-1", true)).rejects.toThrow("lib (changes inside a submodule)");
    expect(readFileSync(join(at, "lib", "lib.js"), "utf8")).toBe("fixed\n");
    plainly(join(at, "lib"), "commit", "-qam", "fixed");
    expect((await repository.save("GH-1", note))?.omitted).toEqual(["lib (commits of a submodule that no remote has)"]);
  });

  it("work that is in no checkpoint is saved before the worktree is made anew", async () => {
    const { folder, at, repository } = await open();
    put(join(at, "work.txt"), "work");
    await repository.open("GH-1", true);
    expect(existsSync(join(at, "work.txt"))).toBe(false);
    const [only, ...more] = await repository.list("GH-1");
    expect(more).toEqual([]);
    expect(only?.kind === "whole" && kept(folder, only.checkpoint.commit)).toContain("work.txt");
    // Nothing is saved twice, and nothing where there is nothing.
    await repository.open("GH-1", true);
    expect(await repository.list("GH-1")).toHaveLength(1);
  });

  it("changes that flags of the index hide are saved, and files that a sparse checkout left out are not taken for removed", async () => {
    const { folder, at, repository } = await open({ "assumed.txt": "1", "skipped.txt": "1", "gone.txt": "1", "far/away.txt": "1" });
    plainly(at, "update-index", "--assume-unchanged", "assumed.txt", "gone.txt");
    plainly(at, "update-index", "--skip-worktree", "skipped.txt", "far/away.txt");
    for (const name of ["assumed.txt", "skipped.txt"]) put(join(at, name), "2");
    rmSync(join(at, "gone.txt"));
    rmSync(join(at, "far"), { recursive: true });
    const saved = await repository.save("GH-1", note);
    expect(kept(folder, saved?.commit)).toEqual(["a.txt", "assumed.txt", "far/away.txt", "skipped.txt"]);
    for (const name of ["assumed.txt", "skipped.txt"]) expect(plainly(folder, "show", `${saved?.commit}:${name}`)).toBe("2");
    await repository.restore("GH-1", saved?.commit ?? "");
    expect(["assumed.txt", "skipped.txt", "gone.txt"].map((name) => existsSync(join(at, name)))).toEqual([true, true, false]);
  });

  it("what is saved comes back byte for byte, whatever attributes say of line ends, encodings and keywords", async () => {
    const { at, repository } = await open();
    const attributes = constantFrom(
      "* text=auto",
      "* text eol=crlf",
      "* text eol=lf",
      "* text=auto eol=crlf",
      "* ident",
      "* -text",
      "*.bat text working-tree-encoding=UTF-16LE eol=crlf",
      "* binary",
    );
    const piece = constantFrom("one", "\r\n", "\n", "\r", "$Id$", "$Id: 1234 $", "\u{FEFF}", "ü", "\0");
    const content = array(piece, { maxLength: 8 }).map((pieces) => Buffer.from(pieces.join("")));
    const anything = uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    await fcAssert(
      asyncProperty(attributes, content, anything, async (rule, text, bytes) => {
        put(join(at, ".gitattributes"), `${rule}\n`);
        put(join(at, "run.bat"), text);
        put(join(at, "data"), bytes);
        put(join(at, "a.txt"), text);
        const saved = await repository.save("GH-1", note);
        await repository.open("GH-1", true);
        await repository.restore("GH-1", saved?.commit ?? "");
        expect([readFileSync(join(at, "run.bat")), readFileSync(join(at, "data")), readFileSync(join(at, "a.txt"))]).toEqual([
          text,
          bytes,
          text,
        ]);
      }),
      { seed: 5, numRuns: 12 },
    );
  }, 120_000);

  it("is committed with the line ends that attributes want when it is published", async () => {
    const { folder, at, repository } = await open({ ".gitattributes": "* text=auto\n" });
    put(join(at, "run.bat"), "@echo\r\n");
    const commit = await repository.publish("GH-1", "Fix it");
    expect(execFileSync(git, ["cat-file", "blob", `${commit}:run.bat`], { cwd: folder }).toString()).toBe("@echo\n");
  });

  it.each([
    ["lfs", "CONTENT".repeat(300), "model.bin (filter lfs)"],
    ["git-crypt", "a secret", "model.bin (filter git-crypt)"],
  ])("content that belongs through the filter %s is not published", async (filter, content, named) => {
    const { at, repository } = await open({ ".gitattributes": `*.bin filter=${filter} -text\n` });
    put(join(at, "model.bin"), content);
    await expect(repository.publish("GH-1", "Fix it")).rejects.toThrow(named);
    put(join(at, "model.bin"), "version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 9\n");
    const ofPointer = await repository.publish("GH-1", "Fix it").catch(() => "refused");
    expect(ofPointer).toMatch(filter === "lfs" ? /^[0-9a-f]{40}$/ : /^refused$/);
  });

  it("a repository of another user is worked in when safe.directory is set, and only then", async () => {
    // Only root can give files away.
    if (process.getuid?.() !== 0) return;
    const { folder, worktrees } = aGitRepository(root, { "a.txt": "base" });
    execFileSync("/bin/chown", ["-R", "1000:1000", folder]);
    const trusting = () =>
      createGitCheckpoints({ git, environment: { PATH: "/usr/bin:/bin", HOME: root }, repository: folder, worktrees, protocols: ["file"] });
    await expect(trusting().open("GH-1")).rejects.toThrow("safe.directory");
    writeFileSync(join(root, ".gitconfig"), `[safe]\n\tdirectory = ${folder}\n[core]\n\tsshCommand = evil\n`);
    expect((await trusting().open("GH-1")).folder).toBe(join(worktrees, "GH-1"));
  });

  it("a base that the ticket names is what its work, its checkpoints and its branch are based on", async () => {
    const { folder, worktrees, checkpoints } = aGitRepository(root, { "a.txt": "base" });
    const base = plainly(folder, "rev-parse", "HEAD");
    plainly(folder, "commit", "-q", "--allow-empty", "-m", "newer");
    const { folder: at } = await checkpoints.open("GH-2", false, base);
    expect(at).toBe(join(worktrees, "GH-2"));
    put(join(at, "work.txt"), "work");
    const commit = await checkpoints.publish("GH-2", "Fix it");
    expect(plainly(folder, "rev-parse", `${commit}^`)).toBe(base);
    await expect(checkpoints.open("GH-3", false, "0".repeat(40))).rejects.toThrow("git worktree");
  });

  it("a workspace that is gone is made again at the base that the ticket named, or at that of its checkpoint, and not where the branch is now", async () => {
    const { folder, worktrees, checkpoints } = aGitRepository(root, { "a.txt": "base" });
    const base = plainly(folder, "rev-parse", "HEAD");
    const { folder: at } = await checkpoints.open("GH-2", false, base);
    put(join(at, "work.txt"), "work");
    const saved = await checkpoints.save("GH-2", note);
    plainly(folder, "commit", "-q", "--allow-empty", "-m", "newer");
    const newer = plainly(folder, "rev-parse", "HEAD");
    for (const [given, expected] of [
      [undefined, base],
      [base, base],
      [newer, newer],
    ]) {
      rmSync(worktrees, { recursive: true });
      await checkpoints.restore("GH-2", saved?.commit ?? "", given);
      expect(plainly(at, "rev-parse", "HEAD")).toBe(expected);
      expect(readFileSync(join(at, "work.txt"), "utf8")).toBe("work");
    }
    rmSync(worktrees, { recursive: true });
    const rootless = plainly(folder, "commit-tree", `${saved?.commit}^{tree}`, "-m", "no parent");
    await expect(checkpoints.restore("GH-2", rootless)).rejects.toThrow("does not have the commit that checkpoint");
    await expect(checkpoints.restore("GH-2", saved?.commit ?? "", "0".repeat(40))).rejects.toThrow("git worktree");
    expect(existsSync(worktrees)).toBe(false);
    await expect(checkpoints.publish("GH-2", "Fix it")).rejects.toThrow("is gone; there is nothing to publish");
  });

  it("says where the repository is kept, as git would go there", async () => {
    const { folder, origin, checkpoints } = aGitRepository(root, { "a.txt": "base" });
    expect(await checkpoints.addresses()).toEqual([origin, folder]);
    plainly(folder, "config", "url.https://git.example/.insteadOf", `${root}/`);
    expect(await checkpoints.addresses()).toEqual(["https://git.example/origin.git", folder]);
    plainly(folder, "remote", "remove", "origin");
    expect(await checkpoints.addresses()).toEqual([folder]);
  });

  it("what was said is kept and sent without secrets", async () => {
    const { origin, repository } = await open();
    const token = `ghp_${"a1B2".repeat(9)}`;
    const saved = await repository.save("GH-1", { ...note, conversation: `origin https://x-access-token:${token}@github.com/acme/shop` });
    await repository.push("GH-1");
    expect(plainly(origin, "show", `${saved?.ref}^2:conversation`)).not.toContain(token);
    expect(saved === undefined ? token : await repository.conversation(saved)).not.toContain(token);
  });
});

describe("what a repository's configuration names", () => {
  it("is not run: programs of remotes, of transports, of merges, of filters of a repository inside", async () => {
    const { folder, at, repository } = await open({ ".gitattributes": "a.txt merge=evil\n" });
    const marker = join(root, "it-ran");
    const evil = join(root, "evil.sh");
    writeFileSync(evil, `#!/bin/sh\n: > ${marker}\nexit 1\n`);
    chmodSync(evil, 0o755);
    for (const key of [
      "remote.origin.receivepack",
      "remote.origin.uploadpack",
      "core.sshCommand",
      "core.askPass",
      "merge.evil.driver",
      "gpg.program",
    ])
      plainly(folder, "config", key, evil);
    const inner = join(at, "app");
    put(join(inner, "i.js"), "1");
    plainly(inner, "init", "-q");
    plainly(inner, "config", "core.fsmonitor", evil);
    plainly(inner, "config", "filter.evil.clean", evil);
    put(join(inner, ".gitattributes"), "* filter=evil\n");
    put(join(at, "a.txt"), "base\nmore\n");
    await repository.save("GH-1", note);
    await repository.push("GH-1");
    rmSync(inner, { recursive: true });
    const commit = await repository.publish("GH-1", "Fix it");
    plainly(folder, "merge", "-q", "--ff-only", commit);
    put(join(folder, "a.txt"), "before\nbase\nmore\n");
    plainly(folder, "commit", "-qam", "theirs");
    for (const key of ["remote.origin.receivepack", "remote.origin.uploadpack"]) plainly(folder, "config", "--unset", key);
    plainly(folder, "push", "-q", "origin", "main");
    for (const key of ["remote.origin.receivepack", "remote.origin.uploadpack"]) plainly(folder, "config", key, evil);
    await repository.withdraw("GH-1", commit).catch(() => undefined);
    expect(existsSync(marker)).toBe(false);
    // Run by hand they would: the test would see it.
    expect(() => plainly(folder, "push", "-q", "origin", "main:x")).toThrow("push");
    expect(existsSync(marker)).toBe(true);
  });

  it("is not where work is sent when it changed while a ticket was worked on", async () => {
    const { folder, at, repository } = await open();
    const other = join(root, "other.git");
    plainly(root, "init", "-q", "--bare", other);
    put(join(at, "b.txt"), "one");
    await repository.save("GH-1", note);
    plainly(folder, "config", "remote.origin.url", other);
    await expect(repository.push("GH-1")).rejects.toThrow("has changed since this process began");
    await expect(repository.publish("GH-1", "Fix it")).rejects.toThrow("has changed");
    expect(plainly(other, "for-each-ref")).toBe("");
  });
});
