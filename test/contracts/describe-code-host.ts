import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StepFailure } from "../../src/core/failure.ts";
import type { CodeChange, CodeHost } from "../../src/llm/releases/code-host.ts";

/** A code host with a repository of one commit, with the file README.md, on its base branch `main`. */
export interface CodeHostBench extends AsyncDisposable {
  readonly host: CodeHost;
  readonly repository: string;
  /** Puts a commit on a branch, which is made from `main` where there is none; answers its id. */
  commit(branch: string, files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  /** The commit at the end of a branch; undefined: there is none. */
  tip(branch: string): Promise<string | undefined>;
  parents(sha: string): Promise<readonly string[]>;
  /** Texts of every issue, title and body. */
  issues(): Promise<readonly string[]>;
}

const { signal } = new AbortController();
const nothing = { references: [], packages: [] };

/** The specification of every code host. */
export function describeCodeHost(name: string, open: () => Promise<CodeHostBench>): void {
  describe(`${name} as a code host`, () => {
    let bench: CodeHostBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(async () => {
      await bench[Symbol.asyncDispose]();
    });

    const opened = async (branch: string, title = `Fix: ${branch}`): Promise<CodeChange> =>
      bench.host.openChange({ repository: bench.repository, branch, title, body: "Closes the hole.", signal });
    const merge = async ({ id, sha }: Pick<CodeChange, "id" | "sha">) =>
      bench.host.mergeChange({ repository: bench.repository, id, sha, signal });
    const failureOf = async (work: Promise<unknown>) => {
      const end = await work.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (end instanceof StepFailure) return end.failure;
      throw new Error(`Nothing was refused: ${String(end)}`);
    };

    it("opens a change for a branch, and answers the same one again", async () => {
      const main = await bench.tip("main");
      const sha = await bench.commit("hotfix/export", { "src/export.js": "fenced" });
      const change = await opened("hotfix/export");
      expect(change).toMatchObject({
        opened: true,
        branch: "hotfix/export",
        sha,
        baseSha: main,
        state: "open",
        mergeable: true,
        upToDate: true,
        paths: ["src/export.js"],
      });
      expect((await opened("hotfix/export")).id).toBe(change.id);
      expect(await bench.host.readChange(bench.repository, change.id, signal)).toEqual(change);
      expect(await bench.host.readChange(bench.repository, "branch/hotfix/export", signal)).toEqual(change);
    });

    it("opens nothing for a branch that there is not, or that has nothing new", async () => {
      expect(await failureOf(opened("hotfix/nothing"))).toMatchObject({ reason: "refused_by_target", applied: "no" });
      const change = { sha: await bench.commit("hotfix/export", { a: "1" }), id: (await opened("hotfix/export")).id };
      expect(await merge(change)).toMatchObject({ kind: "merged" });
      expect(await failureOf(opened("hotfix/export"))).toMatchObject({ reason: "refused_by_target", applied: "no" });
    });

    it("knows no change that there is not", async () => {
      for (const id of ["", "branch/", "branch/nothing", "pull/999999", "pull/0", "pull/x", "branch/../main", "branch/--all", "branch/a b"])
        expect(await bench.host.readChange(bench.repository, id, signal)).toBeUndefined();
      for (const id of ["branch/nothing", "pull/999999"])
        expect(await failureOf(merge({ id, sha: "0".repeat(40) }))).toMatchObject({ reason: "refused_by_target", applied: "no" });
    });

    it("merges exactly the commit that was asked for, by a commit with two parents", async () => {
      const main = await bench.tip("main");
      await bench.commit("hotfix/export", { "src/export.js": "fenced" });
      const change = await opened("hotfix/export");
      const outcome = await merge(change);
      expect(outcome).toMatchObject({ kind: "merged" });
      expect(outcome.kind === "merged" && outcome.sha).toBe(await bench.tip("main"));
      expect(await bench.parents((await bench.tip("main")) ?? "")).toEqual([main, change.sha]);
      expect(await bench.host.readChange(bench.repository, change.id, signal)).toMatchObject({
        state: "merged",
        sha: change.sha,
        mergeSha: await bench.tip("main"),
      });
    });

    it("answers the same merge again, also after others", async () => {
      await bench.commit("hotfix/export", { a: "1" });
      const change = await opened("hotfix/export");
      const first = await merge(change);
      expect(await merge(change)).toEqual(first);
      await bench.commit("main", { later: "1" });
      await bench.commit("hotfix/other", { b: "1" });
      expect(await merge(await opened("hotfix/other"))).toMatchObject({ kind: "merged" });
      const tip = await bench.tip("main");
      expect(await merge(change)).toEqual(first);
      expect(await bench.tip("main")).toBe(tip);
    });

    it("merges nothing when the head has moved", async () => {
      const main = await bench.tip("main");
      await bench.commit("hotfix/export", { a: "1" });
      const change = await opened("hotfix/export");
      const moved = await bench.commit("hotfix/export", { a: "2" });
      expect(await merge(change)).toEqual({ kind: "moved", sha: moved });
      expect(await bench.tip("main")).toBe(main);
      expect(await bench.host.readChange(bench.repository, change.id, signal)).toMatchObject({ state: "open", sha: moved });
    });

    it("does not take a commit of a merged change that came later for merged", async () => {
      await bench.commit("hotfix/export", { a: "1" });
      const change = await opened("hotfix/export");
      await merge(change);
      const later = await bench.commit("hotfix/export", { a: "2" });
      const main = await bench.tip("main");
      const { kind } = await merge({ id: change.id, sha: later });
      const tip = (await bench.tip("main")) ?? "";
      expect([
        { kind: "moved", merged: "nothing" },
        { kind: "behind", merged: "nothing" },
        { kind: "merged", merged: [main, later] },
      ]).toContainEqual({ kind, merged: tip === main ? "nothing" : await bench.parents(tip) });
    });

    it("merges nothing while the base has commits that the branch lacks, and not over a conflict", async () => {
      await bench.commit("hotfix/export", { a: "1" });
      const change = await opened("hotfix/export");
      await bench.commit("hotfix/other", { "README.md": "theirs" });
      const other = await opened("hotfix/other");
      const main = await bench.commit("main", { "README.md": "ours" });
      expect(await merge(change)).toEqual({ kind: "behind", sha: main });
      expect(await bench.host.readChange(bench.repository, change.id, signal)).toMatchObject({ state: "open", upToDate: false });
      const tip = await bench.tip("main");
      expect(tip).toBe(main);
      expect(await bench.host.readChange(bench.repository, other.id, signal)).toMatchObject({ state: "open", mergeable: false });
      expect(await merge(other)).toMatchObject({ kind: "not_mergeable", reason: expect.any(String) });
      expect(await bench.tip("main")).toBe(tip);
    });

    it("says whether two commits hold the same files", async () => {
      const { host, repository } = bench;
      const main = (await bench.tip("main")) ?? "";
      await bench.commit("hotfix/export", { a: "1" });
      const { id, sha } = await opened("hotfix/export");
      const compare = async (one: string, other: string) => host.sameFiles({ repository, shas: [one, other], signal });
      expect(await compare(sha, sha)).toBe(true);
      expect(await compare(main, sha)).toBe(false);
      await merge({ id, sha });
      expect(await compare((await bench.tip("main")) ?? "", sha)).toBe(true);
      const later = await bench.commit("main", { b: "1" });
      expect(await compare(later, sha)).toBe(false);
      for (const unusable of ["0".repeat(40), "main", ""]) expect(await failureOf(compare(sha, unusable))).toMatchObject({ applied: "no" });
    });

    it("merges nothing for an abbreviated id of a commit", async () => {
      const sha = await bench.commit("hotfix/export", { a: "1" });
      const { id } = await opened("hotfix/export");
      const main = await bench.tip("main");
      for (const short of [sha.slice(0, 12), "", "HEAD", "main", "--all"]) {
        const end = await merge({ id, sha: short }).catch(async (error: unknown) => (await failureOf(Promise.reject(error))).applied);
        expect(["no", { kind: "moved", sha }]).toContainEqual(end);
      }
      expect(await bench.tip("main")).toBe(main);
    });

    it("finds the fix by what it names, then by its package, then by its branch", async () => {
      const { host, repository } = bench;
      const messages = {
        "feature/unrelated": "Add a button",
        "hotfix/export": "Fence what customers write",
        "dependabot/npm_and_yarn/lodash-4.17.21": "Bump lodash from 4.17.20 to 4.17.21",
        repair: "Close CVE-2026-1234",
      };
      for (const [branch, message] of Object.entries(messages)) {
        await bench.commit(branch, { [`${branch}.txt`]: "1" }, message);
        if (branch !== "hotfix/export") await opened(branch, message);
      }
      const find = async (search: { readonly references: readonly string[]; readonly packages: readonly string[] }) =>
        (await host.findFixes({ repository, ...search, signal })).map(({ branch }) => branch);
      expect(await find({ references: ["cve-2026-1234"], packages: ["lodash"] })).toEqual([
        "repair",
        "dependabot/npm_and_yarn/lodash-4.17.21",
        "hotfix/export",
      ]);
      expect(await find({ references: ["CVE-2026-123"], packages: ["lodash-es", "odash"] })).toEqual(["hotfix/export"]);
      expect(await find(nothing)).toEqual(["hotfix/export"]);
    });

    it("finds no fix among what is merged", async () => {
      await bench.commit("hotfix/export", { a: "1" });
      const change = await opened("hotfix/export");
      const found = await bench.host.findFixes({ repository: bench.repository, ...nothing, signal });
      expect(found).toMatchObject([{ id: change.id, sha: change.sha, opened: true }]);
      await merge(change);
      expect(await bench.host.findFixes({ repository: bench.repository, ...nothing, signal })).toEqual([]);
    });

    it("opens one issue for a key", async () => {
      const { host, repository } = bench;
      const issue = { repository, title: "Post-mortem: export", body: "What happened, *in order*.\n\nSecond paragraph.", signal };
      const first = await host.openIssue({ ...issue, key: "run-1" });
      expect(await host.openIssue({ ...issue, key: "run-1", title: "Other words" })).toEqual(first);
      expect((await host.openIssue({ ...issue, key: "run-2" })).id).not.toBe(first.id);
      const issues = await bench.issues();
      expect(issues).toHaveLength(2);
      expect(issues[0]).toContain("Post-mortem: export");
      expect(issues[0]).toContain("*in order*");
    });

    it("refuses a repository that it does not have", async () => {
      const repository = "acme/nothing";
      for (const ask of [
        async () => bench.host.findFixes({ repository, ...nothing, signal }),
        async () => bench.host.openChange({ repository, branch: "b", title: "t", body: "", signal }),
        async () => bench.host.mergeChange({ repository, id: "branch/b", sha: "0".repeat(40), signal }),
        async () => bench.host.sameFiles({ repository, shas: ["0".repeat(40), "1".repeat(40)], signal }),
        async () => bench.host.openIssue({ repository, key: "k", title: "t", body: "", signal }),
      ])
        expect(await failureOf(ask())).toMatchObject({ applied: "no" });
    });

    it("does nothing when it is cut off before it begins", async () => {
      await bench.commit("hotfix/export", { a: "1" });
      const { id, sha } = await opened("hotfix/export");
      const cut = AbortSignal.abort(new Error("stopped"));
      await expect(bench.host.mergeChange({ repository: bench.repository, id, sha, signal: cut })).rejects.toThrow("stopped");
      expect(await bench.tip("main")).not.toBe(undefined);
      expect(await bench.host.readChange(bench.repository, id, signal)).toMatchObject({ state: "open" });
    });
  });
}
