import { describe, expect, it } from "@jest/globals";
import type { RunningVersion } from "./deployer.ts";
import { commonVersion, isDeployed, judgeVersions } from "./judge-versions.ts";

const [before, fix] = ["a".repeat(40), "b".repeat(40)];
const url = (nth: number) => `https://desk.example/${nth}/version`;
const old = ["p1", "p2"];
const process = (nth: number, sha: string | undefined, instance: string | undefined): RunningVersion => ({
  url: url(nth),
  ...(sha !== undefined && { sha }),
  ...(instance !== undefined && { instance }),
});

describe("a release", () => {
  it("is in service when every process is a new one and runs it", () => {
    const judgement = judgeVersions([process(1, fix, "n1"), process(2, fix, "n2")], fix, old);
    expect(judgement).toEqual({ processes: 2, current: 2, fresh: 2, gaps: [] });
    expect(isDeployed(judgement)).toBe(true);
  });

  it.each<[string, RunningVersion[], string]>([
    ["one process runs another commit", [process(1, fix, "n1"), process(2, before, "p2")], "runs aaaaaaaaaaaa and not bbbbbbbbbbbb"],
    ["one process does not answer", [process(1, fix, "n1"), process(2, undefined, undefined)], "does not say which commit it runs"],
    ["one process was not started anew", [process(1, fix, "n1"), process(2, fix, "p2")], "is the same process as before"],
    ["one process has no name", [process(1, fix, "n1"), process(2, fix, undefined)], "does not name its process"],
    ["one process answers at two addresses", [process(1, fix, "n1"), process(2, fix, "n1")], "answers at more than one address"],
    ["no process can be asked", [], "No process can be asked"],
  ])("is not in service when %s", (_what, versions, gap) => {
    const judgement = judgeVersions(versions, fix, old);
    expect(isDeployed(judgement)).toBe(false);
    expect(judgement.gaps.join(" ")).toContain(gap);
  });
});

it("knows the release before only where all processes agree on it", () => {
  expect(commonVersion([process(1, before, "p1"), process(2, before, "p2")])).toBe(before);
  expect(commonVersion([process(1, before, "p1"), process(2, fix, "p2")])).toBeUndefined();
  expect(commonVersion([process(1, before, "p1"), process(2, undefined, "p2")])).toBeUndefined();
  expect(commonVersion([process(1, undefined, "p1"), process(2, undefined, "p2")])).toBeUndefined();
  expect(commonVersion([])).toBeUndefined();
});
