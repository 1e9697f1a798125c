import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { describeCodeHost } from "../../../test/contracts/describe-code-host.ts";
import { aBareOrigin } from "../../../test/servers/bare-origin.ts";
import { git, plainly } from "../../../test/servers/git-repository.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createGitCodeHost } from "./create-git-code-host.ts";

const repository = "acme/desk";
const { signal } = new AbortController();

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-code-host-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function hostOf(path: string, protocols?: readonly string[]) {
  return createGitCodeHost({
    git,
    environment: { PATH: process.env["PATH"] ?? "" },
    repositories: { [repository]: { path, main: "main" } },
    clock: createSystemClock(),
    ...(protocols !== undefined && { protocols }),
  });
}

function aBench(kind: "bare" | "clone") {
  const origin = aBareOrigin(root);
  const clone = join(root, "clone");
  if (kind === "clone") plainly(root, "clone", "-q", origin.path, clone);
  return {
    origin,
    clone,
    host: kind === "bare" ? hostOf(origin.path) : hostOf(clone, ["file"]),
    repository,
    commit: async (branch: string, files: Readonly<Record<string, string>>, message?: string) => origin.commit(branch, files, message),
    tip: async (branch: string) => origin.tip(branch),
    parents: async (sha: string) => origin.parents(sha),
    async issues() {
      const refs = plainly(origin.path, "for-each-ref", "--sort=creatordate", "--format=%(objectname)", "refs/runbookd/issues");
      const texts = refs.split("\n").map((sha) => plainly(origin.path, "log", "-1", "--format=%B", sha));
      return texts.toSorted();
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

describeCodeHost("a bare repository of git", async () => aBench("bare"));
describeCodeHost("a clone of git", async () => aBench("clone"));

describe("a code host of plain git", () => {
  it("reads no more of the messages of a branch than it needs, however long they are", async () => {
    const { origin, host, commit } = aBench("bare");
    await commit("hotfix/export", { "b.txt": "fixed" });
    const main = origin.tip("main");
    // Together they are more than git may write in one call.
    const messages = Array.from({ length: 20 }, (_, index) => {
      const from = index === 0 ? `from ${main}\n` : "";
      const text = `CVE-2026-1234\n${"x".repeat(4_000_000)}`;
      return `commit refs/heads/endless\ncommitter a <a@b.example> ${1_900_000_000 + index} +0000\ndata ${text.length}\n${text}\n${from}M 644 inline c.txt\ndata 2\n${index % 10}\n\n`;
    });
    execFileSync(git, ["fast-import", "--quiet"], { cwd: origin.path, input: messages.join("") });
    const fixes = await host.findFixes({ repository, references: ["CVE-2026-1234"], packages: [], signal });
    expect(fixes.map(({ branch }) => branch)).toEqual(["endless", "hotfix/export"]);
  });

  it("runs nothing that the repository names: no hook, no merge driver, no filter", async () => {
    const { origin, host } = aBench("bare");
    const marker = join(root, "it-ran");
    const evil = join(root, "evil.sh");
    writeFileSync(evil, `#!/bin/sh\n: > ${marker}\nexit 0\n`);
    chmodSync(evil, 0o755);
    mkdirSync(join(origin.path, "hooks"), { recursive: true });
    for (const hook of ["reference-transaction", "update", "pre-receive", "post-update", "post-merge", "pre-merge-commit"])
      writeFileSync(join(origin.path, "hooks", hook), `#!/bin/sh\n: > ${marker}\n`, { mode: 0o755 });
    for (const [key, value] of [
      ["core.fsmonitor", evil],
      ["merge.evil.driver", evil],
      ["diff.evil.textconv", evil],
      ["diff.external", evil],
      ["filter.evil.clean", evil],
      ["core.alternateRefsCommand", evil],
    ])
      plainly(origin.path, "config", key ?? "", value ?? "");
    mkdirSync(join(origin.path, "info"), { recursive: true });
    writeFileSync(join(origin.path, "info", "attributes"), "* merge=evil diff=evil filter=evil\n");
    origin.commit("main", { "a.txt": "1\n2\n3\n4\n5\n" });
    origin.commit("hotfix/export", { "a.txt": "one\n2\n3\n4\n5\n" });
    origin.commit("main", { "a.txt": "1\n2\n3\n4\nfive\n" });
    const change = await host.openChange({ repository, branch: "hotfix/export", title: "t", body: "", signal });
    // Both sides have changed the file, so that a merge driver would be asked.
    expect(change).toMatchObject({ mergeable: true, upToDate: false });
    expect(await host.mergeChange({ repository, id: change.id, sha: change.sha, signal })).toMatchObject({ kind: "behind" });
    const sha = origin.commit("hotfix/second", { "a.txt": "one\n2\n3\n4\nfive\n" });
    expect(await host.mergeChange({ repository, id: "branch/hotfix/second", sha, signal })).toMatchObject({ kind: "merged" });
    expect(await host.sameFiles({ repository, shas: [sha, origin.tip("main") ?? ""], signal })).toBe(true);
    await host.openIssue({ repository, key: "k", title: "t", body: "b", signal });
    expect(plainly(origin.path, "show", "main:a.txt")).toBe("one\n2\n3\n4\nfive");
    expect(existsSync(marker)).toBe(false);
    // Without our environment they run: the test would see it.
    plainly(origin.path, "update-ref", "refs/heads/other", change.sha);
    expect(existsSync(marker)).toBe(true);
  });

  it("merges and writes issues in a repository whose ids are of SHA-256", async () => {
    const origin = aBareOrigin(root, "sha256");
    const host = hostOf(origin.path);
    const sha = origin.commit("hotfix/export", { a: "1" });
    expect(sha).toHaveLength(64);
    expect(await host.mergeChange({ repository, id: "branch/hotfix/export", sha, signal })).toEqual({
      kind: "merged",
      sha: origin.tip("main"),
    });
    const { id } = await host.openIssue({ repository, key: "k", title: "Post-mortem", body: "b", signal });
    expect(plainly(origin.path, "log", "-1", "--format=%s", id)).toBe("Post-mortem");
  });

  it("refuses a folder that is no repository, and one inside of a repository", async () => {
    const { clone } = aBench("clone");
    plainly(clone, "remote", "remove", "origin");
    const inside = join(clone, "inside");
    mkdirSync(inside);
    for (const path of [join(root, "nothing"), inside])
      await expect(hostOf(path).readChange(repository, "branch/a", signal)).rejects.toMatchObject({
        failure: { reason: "not_reachable", applied: "no" },
      });
  });

  it("does not move a branch under the feet of a person who has it checked out", async () => {
    const { clone } = aBench("clone");
    plainly(clone, "remote", "remove", "origin");
    plainly(clone, "checkout", "-q", "-b", "hotfix/export");
    plainly(clone, "commit", "-q", "--allow-empty", "-m", "fix");
    const host = hostOf(clone);
    const change = await host.openChange({ repository, branch: "hotfix/export", title: "t", body: "", signal });
    const merge = { repository, id: change.id, sha: change.sha, signal };
    plainly(clone, "checkout", "-q", "main");
    expect(await host.mergeChange(merge)).toMatchObject({ kind: "not_mergeable", reason: expect.stringContaining("checked out") });
    plainly(clone, "checkout", "-q", "hotfix/export");
    expect(await host.mergeChange(merge)).toMatchObject({ kind: "merged" });
  });

  it("merges one commit once when many ask at the same time, and none onto what it was not tested with", async () => {
    const { origin, host } = aBench("bare");
    const names = ["hotfix/a", "hotfix/b"];
    for (const name of names) origin.commit(name, { [name]: "1" });
    const changes = await Promise.all(names.map(async (branch) => host.openChange({ repository, branch, title: "t", body: "", signal })));
    const merges = [...changes, ...changes].map(async ({ id, sha }) => host.mergeChange({ repository, id, sha, signal }));
    const outcomes = await Promise.all(merges);
    expect(
      new Set(outcomes.map((outcome) => (outcome.kind === "not_mergeable" ? outcome.reason : `${outcome.kind} ${outcome.sha}`))),
    ).toEqual(new Set([`merged ${origin.tip("main")}`, `behind ${origin.tip("main")}`]));
    expect(plainly(origin.path, "rev-list", "--count", "--first-parent", "main")).toBe("2");
  });

  it("says what the remote refuses", async () => {
    const { origin, host } = aBench("clone");
    writeFileSync(join(origin.path, "hooks", "update"), "#!/bin/sh\necho main is protected >&2\nexit 1\n", { mode: 0o755 });
    const { path } = origin;
    plainly(path, "config", "core.hooksPath", join(path, "hooks"));
    origin.commit("hotfix/export", { a: "1" });
    const { id, sha } = await host.openChange({ repository, branch: "hotfix/export", title: "t", body: "", signal });
    expect(await host.mergeChange({ repository, id, sha, signal })).toMatchObject({
      kind: "not_mergeable",
      reason: expect.stringContaining("the remote does not take it"),
    });
  });

  it("keeps a secret out of an issue and of what a failure says", async () => {
    const { origin, host } = aBench("bare");
    const secret = `ghp_${"a1B2".repeat(9)}`;
    const { id } = await host.openIssue({ repository, key: "k", title: "t", body: `token ${secret}`, signal });
    expect(plainly(origin.path, "log", "-1", "--format=%B", id)).not.toContain(secret);
  });

  it("names the setting when the base branch does not exist", async () => {
    const { origin } = aBench("bare");
    const host = createGitCodeHost({
      git,
      environment: { PATH: process.env["PATH"] ?? "" },
      repositories: { [repository]: { path: origin.path, main: "trunk" } },
      clock: createSystemClock(),
    });
    await expect(host.findFixes({ repository, references: [], packages: [], signal })).rejects.toThrow("git_repositories");
  });
});
