import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { asyncProperty, constantFrom, dictionary, assert as fcAssert, string } from "fast-check";
import { describeCheckpoints } from "../../../test/contracts/describe-checkpoints.ts";
import { aGitRepository, git, plainly } from "../../../test/servers/git-repository.ts";

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-checkpoints-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open() {
  const { checkpoints: repository, ...places } = aGitRepository(root, { "a.txt": "base", ".gitignore": "*.log\nbuild/\n" });
  return { ...places, repository };
}

function put(folder: string, files: Readonly<Record<string, string | undefined>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (text === undefined) rmSync(join(folder, path));
    else writeFileSync(join(folder, path), text);
  }
}

function read(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => ![".git", ".gitignore"].includes(path));
  return Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

/** Flips a byte of a stored object, or what stands for it. */
function corrupt(folder: string, id: string): void {
  const path = join(folder, ".git", "objects", id.slice(0, 2), id.slice(2));
  chmodSync(path, 0o644);
  const other = plainly(folder, "hash-object", "-w", "a.txt");
  writeFileSync(path, readFileSync(join(folder, ".git", "objects", other.slice(0, 2), other.slice(2))));
}

describeCheckpoints("git", async () => {
  const { folder, worktrees, repository } = open();
  const at = (ticketId: string) => join(worktrees, ticketId);
  return {
    repository,
    write: async (ticketId, files) => put(at(ticketId), files),
    files: async (ticketId) => read(at(ticketId)),
    damage: async (ticketId, n) => corrupt(folder, plainly(folder, "rev-parse", `refs/checkpoints/${ticketId}/${n}:b.txt`)),
    async conflict(ticketId) {
      plainly(folder, "branch", "-q", "other");
      const elsewhere = join(root, "elsewhere");
      plainly(folder, "worktree", "add", "-q", elsewhere, "other");
      writeFileSync(join(elsewhere, "a.txt"), "theirs");
      plainly(elsewhere, "commit", "-qam", "theirs");
      writeFileSync(join(at(ticketId), "a.txt"), "ours");
      plainly(at(ticketId), "commit", "-qam", "ours");
      execFileSync("/bin/sh", ["-c", `! ${git} -c user.name=a -c user.email=a@b merge -q other`], { cwd: at(ticketId), stdio: "ignore" });
    },
    async merge(ticketId, commit) {
      plainly(folder, "merge", "-q", "--ff-only", commit);
      plainly(folder, "push", "-q", "origin", "main");
    },
    async buildOn(ticketId) {
      const elsewhere = join(root, `on-${ticketId}`);
      plainly(root, "clone", "-q", "-b", `ticket/${ticketId}`, join(root, "origin.git"), elsewhere);
      writeFileSync(join(elsewhere, "theirs.txt"), "theirs");
      plainly(elsewhere, "add", "-A");
      plainly(elsewhere, "commit", "-q", "-m", "theirs");
      plainly(elsewhere, "push", "-q");
    },
  };
});

describe("a checkpoint in git", () => {
  const note = { stage: "partial", green: false, conversation: "" };

  it("touches neither index nor work tree nor stash of whoever works there", async () => {
    const { folder, worktrees, repository } = open();
    await repository.open("GH-1");
    const at = join(worktrees, "GH-1");
    writeFileSync(join(folder, "a.txt"), "stashed elsewhere");
    plainly(folder, "stash", "-q");
    put(at, { "staged.txt": "one", "a.txt": "more", "untracked.txt": "new", "skip.log": "noise", "build/out": "noise" });
    plainly(at, "add", "staged.txt", "a.txt");
    put(at, { "staged.txt": "one\ntwo" });
    const index = plainly(at, "rev-parse", "--git-path", "index");
    const look = () => ({
      status: plainly(at, "status", "--porcelain=v1"),
      staged: plainly(at, "diff", "--cached"),
      index: createHash("sha1").update(readFileSync(index)).digest("hex"),
      stash: plainly(folder, "stash", "list"),
      files: read(at),
      head: plainly(at, "rev-parse", "HEAD"),
    });
    const before = look();
    const saved = await repository.save("GH-1", note);
    expect(look()).toEqual(before);
    const kept = plainly(folder, "ls-tree", "-r", "--name-only", saved?.commit ?? "").split("\n");
    expect(kept).toEqual([".gitignore", "a.txt", "staged.txt", "untracked.txt"]);
    expect(plainly(folder, "show", `${saved?.commit}:staged.txt`)).toBe("one\ntwo");
  });

  it("keeps bytes, executable bits and links, and gives them back", async () => {
    const { worktrees, repository } = open();
    await repository.open("GH-1");
    const at = join(worktrees, "GH-1");
    const bytes = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7) % 256));
    writeFileSync(join(at, "binary"), bytes);
    writeFileSync(join(at, "windows.txt"), "one\r\ntwo\r\n");
    writeFileSync(join(at, "run.sh"), "#!/bin/sh\n");
    chmodSync(join(at, "run.sh"), 0o755);
    symlinkSync("a.txt", join(at, "link"));
    symlinkSync("/nowhere", join(at, "dangling"));
    const saved = await repository.save("GH-1", note);
    put(at, { binary: "gone", "windows.txt": "gone", "run.sh": undefined, "other.log": "ignored" });
    rmSync(join(at, "link"));
    await repository.restore("GH-1", saved?.commit ?? "");
    expect(readFileSync(join(at, "binary")).equals(bytes)).toBe(true);
    expect(readFileSync(join(at, "windows.txt"), "utf8")).toBe("one\r\ntwo\r\n");
    expect(statSync(join(at, "run.sh")).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(at, "link"))).toBe("a.txt");
    expect(lstatSync(join(at, "dangling")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(at, "other.log"), "utf8")).toBe("ignored");
  });

  it("saves a workspace in which nothing was done, and one in which everything was removed", async () => {
    const { folder, worktrees, repository } = open();
    await repository.open("GH-1");
    const saved = await repository.save("GH-1", note);
    expect(saved?.tree).toBe(plainly(folder, "rev-parse", "main^{tree}"));
    put(join(worktrees, "GH-1"), { "a.txt": undefined, ".gitignore": undefined });
    const empty = await repository.save("GH-1", note);
    expect(plainly(folder, "ls-tree", empty?.commit ?? "")).toBe("");
    expect(await repository.list("GH-1")).toMatchObject([{ kind: "whole" }, { kind: "whole" }]);
  });

  it("keeps a file of many megabytes", async () => {
    const { worktrees, repository } = open();
    await repository.open("GH-1");
    const at = join(worktrees, "GH-1");
    writeFileSync(join(at, "huge.bin"), Buffer.alloc(40 * 1024 * 1024, 7));
    const saved = await repository.save("GH-1", note);
    expect(await repository.list("GH-1")).toMatchObject([{ kind: "whole" }]);
    rmSync(join(at, "huge.bin"));
    await repository.restore("GH-1", saved?.commit ?? "");
    expect(statSync(join(at, "huge.bin")).size).toBe(40 * 1024 * 1024);
  });

  it("sees a change of the same length in the second in which the workspace was made", async () => {
    const { folder, worktrees, repository } = open();
    for (const ticket of ["GH-1", "GH-2", "GH-3"]) {
      await repository.open(ticket);
      const at = join(worktrees, ticket, "a.txt");
      const { mtime } = statSync(at);
      writeFileSync(at, "more");
      utimesSync(at, mtime, mtime);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const saved = await repository.save(ticket, note);
      expect(plainly(folder, "show", `${saved?.commit}:a.txt`)).toBe("more");
    }
  });

  it("is saved from what a dead worker left: a lock on the index, half an index, a folder that is gone", async () => {
    const { worktrees, repository } = open();
    await repository.open("GH-1");
    const at = join(worktrees, "GH-1");
    put(at, { "b.txt": "one" });
    const index = plainly(at, "rev-parse", "--git-path", "index");
    writeFileSync(`${index}.lock`, "");
    expect(await repository.save("GH-1", note)).toMatchObject({ n: 1 });
    rmSync(`${index}.lock`);
    writeFileSync(index, "half");
    put(at, { "b.txt": "two" });
    expect(await repository.save("GH-1", note)).toMatchObject({ n: 2 });
    writeFileSync(`${index}.lock`, "");
    await repository.restore("GH-1", "refs/checkpoints/GH-1/1");
    expect(read(at)).toEqual({ "a.txt": "base", "b.txt": "one" });
    rmSync(at, { recursive: true });
    expect(await repository.find("GH-1")).toBeUndefined();
    expect(await repository.save("GH-1", note)).toBeUndefined();
    await repository.restore("GH-1", "refs/checkpoints/GH-1/2");
    expect(read(at)).toEqual({ "a.txt": "base", "b.txt": "two" });
  });

  it("is broken when its commit is gone, or its conversation is another", async () => {
    const { folder, worktrees, repository } = open();
    await repository.open("GH-1");
    const made: string[] = [];
    for (const text of ["one", "two", "three"]) {
      put(join(worktrees, "GH-1"), { "b.txt": text });
      made.push((await repository.save("GH-1", { ...note, conversation: `said ${text}` }))?.commit ?? "");
    }
    const [first = "", second = ""] = made;
    rmSync(join(folder, ".git", "objects", first.slice(0, 2), first.slice(2)));
    corrupt(folder, plainly(folder, "rev-parse", `${second}^2:conversation`));
    expect((await repository.list("GH-1")).map(({ kind }) => kind)).toEqual(["broken", "broken", "whole"]);
  });

  it("runs nothing that the repository names: no hook, no monitor, no filter", async () => {
    const { folder, worktrees, repository } = open();
    const marker = join(root, "it-ran");
    const evil = join(root, "evil.sh");
    writeFileSync(evil, `#!/bin/sh\n: > ${marker}\ncat\n`);
    chmodSync(evil, 0o755);
    for (const hook of ["post-checkout", "reference-transaction", "pre-push", "post-index-change"])
      writeFileSync(join(folder, ".git", "hooks", hook), `#!/bin/sh\n: > ${marker}\n`, { mode: 0o755 });
    for (const [key, value] of [
      ["core.fsmonitor", evil],
      ["filter.evil.clean", evil],
      ["filter.evil.smudge", evil],
      ["filter.evil.required", "true"],
    ])
      plainly(folder, "config", key ?? "", value ?? "");
    await repository.open("GH-1");
    put(join(worktrees, "GH-1"), { ".gitattributes": "* filter=evil\n", "b.txt": "one" });
    const saved = await repository.save("GH-1", note);
    put(join(worktrees, "GH-1"), { "b.txt": "two" });
    await repository.restore("GH-1", saved?.commit ?? "");
    await repository.push("GH-1");
    expect(existsSync(marker)).toBe(false);
    expect(plainly(folder, "show", `${saved?.commit}:b.txt`)).toBe("one");
    // Without our environment they run: the test would see it.
    put(join(worktrees, "GH-1"), { "b.txt": "three" });
    plainly(join(worktrees, "GH-1"), "add", "-A");
    expect(existsSync(marker)).toBe(true);
  });

  it("shows what a ticket changes, whatever its attributes hide and its tools have committed", async () => {
    const { worktrees, repository } = open();
    await repository.open("GH-1");
    const at = join(worktrees, "GH-1");
    put(at, { ".gitattributes": "* -diff binary\n", "committed.txt": "one", "name\nof\ttwo lines.txt": "two" });
    plainly(at, "add", "-A");
    plainly(at, "commit", "-q", "-m", "by a tool");
    put(at, { "later.txt": "three" });
    symlinkSync("a.txt", join(at, "link"));
    const saved = await repository.save("GH-1", note);
    if (saved === undefined) throw new Error("There is no checkpoint.");
    const { files, unread } = await repository.changes(saved);
    expect(files.map(({ path, text }) => [path, text])).toEqual([
      [".gitattributes", "* -diff binary\n"],
      ["committed.txt", "one"],
      ["later.txt", "three"],
      ["name\nof\ttwo lines.txt", "two"],
    ]);
    expect(unread).toBe(0);
    await expect(repository.changes({ ...saved, commit: "0".repeat(40) })).rejects.toThrow("git merge-base");
  });

  it("arrives where the repository is kept, with its conversation", async () => {
    const { origin, worktrees, repository } = open();
    await repository.open("GH-1");
    put(join(worktrees, "GH-1"), { "b.txt": "one" });
    const saved = await repository.save("GH-1", { ...note, conversation: "said" });
    expect(await repository.push("GH-1")).toBe(true);
    expect(plainly(origin, "rev-parse", "refs/checkpoints/GH-1/1")).toBe(saved?.commit);
    expect(plainly(origin, "show", "refs/checkpoints/GH-1/1^2:conversation")).toBe("said");
  });

  it("gives back any work", async () => {
    const { worktrees, repository } = open();
    await repository.open("GH-1");
    const at = join(worktrees, "GH-1");
    const path = constantFrom("x", "y/z", "y/ü", "a.txt", " blank", "-dash", 'q"uote');
    const work = dictionary(path, string({ maxLength: 40 }), { minKeys: 1 });
    await fcAssert(
      asyncProperty(work, work, async (first, second) => {
        for (const name of Object.keys(read(at))) rmSync(join(at, name));
        put(at, first);
        const saved = await repository.save("GH-1", note);
        for (const name of Object.keys(read(at))) rmSync(join(at, name));
        put(at, second);
        await repository.restore("GH-1", saved?.commit ?? "");
        expect(read(at)).toEqual(Object.fromEntries(Object.entries(first).toSorted(([a], [b]) => (a < b ? -1 : 1))));
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
