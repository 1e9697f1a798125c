import { describe, expect, it } from "@jest/globals";
import { aCommandTemplate } from "../../../test/builders/action-bench.ts";
import type { Feature } from "../../core/feature.ts";
import { featureJobFaults } from "./feature-job-faults.ts";

const sha = { kind: "pattern", pattern: "[0-9a-f]{40}", leadingDash: false } as const;
const commands = [
  aCommandTemplate({ name: "test", argv: ["/bin/test", "{sha}"], args: { sha } }),
  aCommandTemplate({ name: "deploy", argv: ["/bin/deploy", "{sha}", "{key}"], args: { sha, key: sha }, effect: "set" }),
  aCommandTemplate({ name: "once", argv: ["/bin/deploy", "{sha}"], args: { sha }, effect: "once" }),
  aCommandTemplate({ name: "strange", argv: ["/bin/test", "{sha}", "{color}"], args: { sha, color: sha } }),
  aCommandTemplate({ name: "blind" }),
];

function problemsOf(change: Partial<Feature>): readonly string[] {
  const feature: Feature = { name: "export", flags: [], budgets: [], keys: [], paths: [], versionUrls: [], ...change };
  return featureJobFaults([feature], { commands, allowed: ["https://desk.example"] }).map(({ at, problem }) => `${at} ${problem}`);
}

const command = (name: string) => ({ kind: "command", name }) as const;
const workflow = { kind: "workflow", file: "tests.yml" } as const;
const versionUrls = ["https://desk.example/version"];

describe("the jobs of a feature", () => {
  it("may be commands that are registered, and workflows where the code is at GitHub", () => {
    expect(problemsOf({ tests: command("test"), deployment: command("deploy"), attacks: command("test"), versionUrls })).toEqual([]);
    expect(problemsOf({ codeHost: "github", tests: workflow, deployment: workflow, versionUrls })).toEqual([]);
  });

  it.each<[string, Partial<Feature>, string]>([
    [
      "a command that is not registered",
      { tests: command("gone") },
      "export.tests names the command gone, which commands does not register",
    ],
    ["an argument that nothing gives", { tests: command("strange") }, "whose arguments color nothing gives it"],
    ["a command that cannot know the commit", { tests: command("blind") }, "has no argument sha"],
    ["a deployment that may not run twice", { deployment: command("once"), versionUrls }, "with effect once"],
    ["a deployment that nothing shows", { deployment: command("deploy") }, "is set without version_urls"],
    ["a workflow without GitHub", { codeHost: "git", tests: workflow }, "code_host is not github"],
    ["an address that may not be asked", { versionUrls: ["https://other.example/version"] }, "names the origin https://other.example"],
  ])("must not be %s", (_what, change, problem) => {
    const problems = problemsOf(change);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});
