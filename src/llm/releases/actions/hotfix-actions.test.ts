import { describe, expect, it } from "@jest/globals";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import type { DefinedAction } from "../../../actions/define-action.ts";
import type { ActionContext, BoundAction } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { planShaOf } from "../../../runs/engine/plan-sha.ts";
import type { CodeHost } from "../code-host.ts";
import type { ReleasePorts } from "../release-ports.ts";
import { mergeChange } from "./merge-change.ts";
import { prepareHotfix } from "./prepare-hotfix.ts";

const repository = "rehearsal/export";

function aBench(change: Partial<ReleasePorts> = {}) {
  const bench = createActionBench(aBudgetState("checkout"));
  const ports: ReleasePorts = { ...bench.ports, ...change };
  const bind = (action: DefinedAction<ReleasePorts>, parameters: Readonly<Record<string, string>>): BoundAction => {
    const bound = action.create(ports).bind({ feature: "export", ...parameters });
    if (!bound.ok) throw new Error(bound.issues.join("; "));
    return bound.action;
  };
  const prepare = async (context: Partial<ActionContext> = {}, parameters: Readonly<Record<string, string>> = {}) => {
    const action = bind(prepareHotfix, parameters);
    return action.run(await action.plan(bench.context()), bench.context(context));
  };
  const hotfix = bench.code.tip(repository, "hotfix/export") ?? "";
  return { ...bench, bind, prepare, hotfix, main: () => bench.code.tip(repository, "main") ?? "" };
}

/** A host at which a branch has to be opened first. */
function aPullHost(inner: CodeHost): CodeHost {
  const opened = new Set<string>();
  return {
    ...inner,
    async openChange(request) {
      opened.add(request.branch);
      return inner.openChange(request);
    },
    async readChange(...request) {
      const change = await inner.readChange(...request);
      return change && { ...change, opened: opened.has(change.branch) };
    },
  };
}

describe("prepare-hotfix", () => {
  it("takes the only change that may be the fix", async () => {
    const { prepare, hotfix, main } = aBench();
    expect(outputOf(await prepare())).toEqual({
      fix: "change",
      change: "branch/hotfix/export",
      sha: hotfix,
      base_sha: main(),
      up_to_date: true,
      title: "Close the hole in export",
      url: "",
      feature: "export",
      asked_for: "export",
    });
  });

  it("asks which of several is the fix, the likeliest first, and takes the one of the answer", async () => {
    const { prepare, code } = aBench();
    const sha = code.commit(repository, { branch: "repair", files: { a: "1" }, message: "Close CVE-2026-1234" });
    const asked = await prepare();
    expect(asked).toMatchObject({ kind: "ask", answers: ["branch/repair", "branch/hotfix/export", "again", "prompt", "none"] });
    if (asked.kind !== "ask") throw new Error("It must ask.");
    expect(asked.question).toContain('"Close CVE-2026-1234" on repair');
    const { progress } = asked;
    expect(outputOf(await prepare({ progress, answer: "branch/repair" }))).toMatchObject({ fix: "change", change: "branch/repair", sha });
    expect(outputOf(await prepare({ progress, answer: "prompt" }))).toMatchObject({ fix: "prompt", change: "", sha: "" });
    expect(outputOf(await prepare({ progress, answer: "none" }))).toMatchObject({ fix: "none" });
    expect(await prepare({ progress, answer: "again" })).toEqual(asked);
  });

  it("asks when there is no fix, and looks again when a person has made one", async () => {
    const { prepare, code, main } = aBench();
    await code.mergeChange({
      repository,
      id: "branch/hotfix/export",
      sha: code.tip(repository, "hotfix/export") ?? "",
      signal: new AbortController().signal,
    });
    const asked = await prepare();
    expect(asked).toMatchObject({ kind: "ask", question: expect.stringContaining("no open change"), answers: ["again", "prompt", "none"] });
    if (asked.kind !== "ask") throw new Error("It must ask.");
    const sha = code.commit(repository, { branch: "hotfix/second", files: { b: "1" }, message: "Fence it" });
    expect(outputOf(await prepare({ progress: asked.progress, answer: "again" }))).toMatchObject({ sha, base_sha: main() });
  });

  it("takes the branch that it is given, and asks when there is none", async () => {
    const { prepare, code } = aBench();
    const sha = code.commit(repository, { branch: "repair", files: { a: "1" }, message: "Fix" });
    expect(outputOf(await prepare({}, { branch: "repair" }))).toMatchObject({ change: "branch/repair", sha });
    expect(await prepare({}, { branch: "nothing" })).toMatchObject({ kind: "ask", question: expect.stringContaining("no branch nothing") });
  });

  it("says that the branch lacks what is on the base branch", async () => {
    const { prepare, code, hotfix } = aBench();
    const base = code.commit(repository, { branch: "main", files: { b: "1" }, message: "Elsewhere" });
    expect(outputOf(await prepare())).toMatchObject({ fix: "change", sha: hotfix, base_sha: base, up_to_date: false });
  });

  it("asks for the feature that nothing describes, and uses what a person has answered before", async () => {
    const { prepare, hotfix } = aBench();
    expect(await prepare({}, { feature: "unknown" })).toMatchObject({ kind: "ask", answers: ["export", "none"] });
    expect(outputOf(await prepare({ answer: "export" }, { feature: "unknown" }))).toMatchObject({ feature: "export", sha: hotfix });
    expect(outputOf(await prepare({ answer: "none" }, { feature: "unknown" }))).toMatchObject({ fix: "none", feature: "none" });
  });

  it("says which setting is missing", async () => {
    const { ports } = createActionBench(aBudgetState("checkout"));
    const features = ports.features.map(({ repository: _repository, ...feature }) => feature);
    await expect(aBench({ features }).prepare()).rejects.toThrow("repository and code_host");
    await expect(aBench({ codeHosts: {} }).prepare()).rejects.toThrow("git_repositories");
  });

  it("is applied when the change is open, and not before", async () => {
    const inner = createActionBench(aBudgetState("checkout"));
    const bench = aBench({ codeHosts: { git: aPullHost(inner.code) } });
    const action = bench.bind(prepareHotfix, {});
    const plan = await action.plan(bench.context());
    expect(await action.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
    const done = outputOf(await action.run(plan, bench.context()));
    expect(await action.probe?.(plan, bench.context())).toEqual({ kind: "applied", output: done });
  });

  it("shows titles on one line and without secrets, because others write them", async () => {
    const { prepare, code } = aBench();
    code.commit(repository, { branch: "hotfix/export", files: { a: "1" }, message: `Use ghp_${"a1B2".repeat(9)}\u202e now` });
    const { title } = outputOf(await prepare());
    expect(title).not.toContain("a1B2a1B2");
    expect(title).not.toContain("\u202e");
  });
});

describe("merge-change", () => {
  const aMerge = (bench: ReturnType<typeof aBench>, sha = bench.hotfix) => bench.bind(mergeChange, { change: "branch/hotfix/export", sha });

  it("merges exactly the commit of the plan, once", async () => {
    const bench = aBench();
    const action = aMerge(bench);
    const plan = await action.plan(bench.context());
    const before = bench.main();
    expect(plan).toMatchObject({ targets: ["repository/rehearsal/export"], data: { sha: bench.hotfix } });
    expect(await action.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
    const output = outputOf(await action.run(plan, bench.context()));
    expect(output).toEqual({
      merged: true,
      moved: false,
      behind: false,
      same_files: true,
      sha: bench.main(),
      head: bench.hotfix,
    });
    expect(bench.code.parents(repository, bench.main())).toEqual([before, bench.hotfix]);
    expect(outputOf(await action.run(plan, bench.context()))).toEqual(output);
    expect(await action.probe?.(plan, bench.context())).toEqual({ kind: "applied", output });
    expect(bench.acts.filter((line) => line.includes("merged"))).toHaveLength(1);
  });

  it("merges nothing when the head has moved after the approval", async () => {
    const bench = aBench();
    const action = aMerge(bench);
    const plan = await action.plan(bench.context());
    const moved = bench.code.commit(repository, { branch: "hotfix/export", files: { a: "evil" }, message: "More" });
    const before = bench.main();
    expect(outputOf(await action.run(plan, bench.context()))).toMatchObject({ merged: false, moved: true, sha: "", head: moved });
    expect(bench.main()).toBe(before);
  });

  it("merges nothing when the base branch has moved after the approval: what would be deployed was not tested", async () => {
    const bench = aBench();
    const action = aMerge(bench);
    const plan = await action.plan(bench.context());
    const base = bench.code.commit(repository, { branch: "main", files: { b: "1" }, message: "Elsewhere" });
    const output = outputOf(await action.run(plan, bench.context()));
    expect(output).toEqual({ merged: false, moved: false, behind: true, same_files: false, sha: "", head: bench.hotfix });
    expect(bench.main()).toBe(base);
    await expect(aMerge(bench).plan(bench.context())).rejects.toThrow(`has commits that ${bench.hotfix} lacks`);
  });

  it("says that a merge holds other files, which the code host made of a base branch that moved", async () => {
    const inner = createActionBench(aBudgetState("checkout"));
    const other = async () => false;
    const bench = aBench({ codeHosts: { git: { ...inner.code, sameFiles: other } } });
    const sha = inner.code.tip(repository, "hotfix/export") ?? "";
    const action = aMerge(bench, sha);
    const plan = await action.plan(bench.context());
    expect(outputOf(await action.run(plan, bench.context()))).toMatchObject({ merged: true, same_files: false });
    expect(await action.probe?.(plan, bench.context())).toMatchObject({ kind: "applied", output: { same_files: false } });
  });

  it("does not say that nothing was done when the merge cannot be read after it was made", async () => {
    const inner = createActionBench(aBudgetState("checkout"));
    const away = async () => Promise.reject(new StepFailure({ reason: "not_reachable", message: "It is away.", applied: "no" }));
    const bench = aBench({ codeHosts: { git: { ...inner.code, sameFiles: away } } });
    const action = aMerge(bench, inner.code.tip(repository, "hotfix/export") ?? "");
    const plan = await action.plan(bench.context());
    await expect(action.run(plan, bench.context())).rejects.toMatchObject({ failure: { applied: "unknown" } });
  });

  it("does not plan what was not tested: an approval is never asked for another head", async () => {
    const bench = aBench();
    const moved = bench.code.commit(repository, { branch: "hotfix/export", files: { a: "evil" }, message: "More" });
    const failure = {
      reason: "refused_by_target",
      applied: "no",
      message: expect.stringContaining(`is ${moved}, and ${bench.hotfix} was tested`),
    };
    await expect(aMerge(bench).plan(bench.context())).rejects.toMatchObject({ failure });
  });

  it("is another plan, and needs another approval, for another head", async () => {
    const bench = aBench();
    const shaOf = async (sha: string) => planShaOf("merge-change", await aMerge(bench, sha).plan(bench.context()));
    const first = await shaOf(bench.hotfix);
    expect(await shaOf(bench.hotfix)).toBe(first);
    const moved = bench.code.commit(repository, { branch: "hotfix/export", files: { a: "2" }, message: "More" });
    expect(await shaOf(moved)).not.toBe(first);
  });

  it("merges nothing that conflicts, that does not exist, or that is not opened", async () => {
    const bench = aBench();
    const action = aMerge(bench);
    const plan = await action.plan(bench.context());
    bench.code.commit(repository, { branch: "main", files: { "src/fix.js": "other" }, message: "Elsewhere" });
    await expect(action.run(plan, bench.context())).rejects.toMatchObject({ failure: { reason: "refused_by_target", applied: "no" } });
    const gone = bench.bind(mergeChange, { change: "branch/nothing", sha: bench.hotfix });
    await expect(gone.plan(bench.context())).rejects.toThrow("has no change branch/nothing");
    const unopened = aBench({ codeHosts: { git: aPullHost(bench.code) } });
    await expect(aMerge(unopened).plan(unopened.context())).rejects.toThrow("prepare-hotfix comes first");
  });

  it("takes full ids of commits alone", () => {
    for (const sha of ["", "main", "abc123", `${"a".repeat(39)}g`, `${"a".repeat(40)} `])
      expect(mergeChange.create(aBench().ports).bind({ feature: "export", change: "pull/1", sha })).toMatchObject({ ok: false });
  });
});
