import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionResult } from "../../../core/action.ts";
import { shortCommit } from "../../../core/commit-id.ts";
import { minuteMs } from "../../../core/duration.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { Feature } from "../../../core/feature.ts";
import { sha256 } from "../../../core/json.ts";
import type { DeploymentPorts } from "../deployment-ports.ts";
import { noWork, pollWork, workProgressSchema } from "../poll-work.ts";
import { invalidRelease, readFeature } from "../read-feature.ts";
import { commitParameter, featureParameter } from "../release-parameters.ts";
import type { TestResult } from "../test-runner.ts";

const count = z.number();
const testsSchema = z.object({ sha: z.string(), passed: count, failed: count, skipped: count, url: z.string().exactOptional() });

const progressSchema = z.object({
  /** Result on the fix; absent while its tests run. */
  fixed: testsSchema.exactOptional(),
  work: workProgressSchema,
  headline: z.string(),
  sentence: z.string(),
});

type Ports = Pick<DeploymentPorts, "features" | "testRunner">;

/** Runs every test of a feature's repository on exactly one commit, and on the one before it to compare their number. */
export const runTests = defineAction({
  name: "run-tests",
  summary:
    "Runs the tests of a feature's repository on exactly one commit, in a clean work tree or a workflow, and then on the commit that the fix is based on, to show that no test was taken away.",
  parameters: z.strictObject({
    feature: featureParameter,
    sha: commitParameter("Commit of the fix."),
    base_sha: commitParameter("Commit that the fix is compared with."),
  }),
  result: {
    feature: "name of the feature",
    sha: "commit that was tested, as the runner read it",
    passed: "tests that passed on it",
    failed: "tests that failed on it",
    skipped: "tests that were skipped on it",
    base_sha: "commit that was compared, as the runner read it; empty when it was not tested",
    base_passed: "tests that passed on that one; -1 when it was not tested",
    base_tests: "tests that passed or failed on that one, all of which must pass on the fix; -1 when it was not tested",
    url: "page of the tests for people, or empty",
  },
  effect: "keyed",
  risk: "none",
  // A command runs as long as its template allows.
  timeoutMs: 60 * minuteMs,
  probes: false,
  undoes: false,
  behave({ feature: name, sha, base_sha: baseSha }, { features, testRunner }: Ports) {
    return {
      async plan(context) {
        const feature = testedFeature(readFeature(name, features, context));
        return {
          summary: `Run the tests of ${feature.repository ?? feature.name} on ${shortCommit(sha)}, and on ${shortCommit(baseSha)} to compare`,
          targets: [`feature/${feature.name}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context): Promise<ActionResult> {
        const feature = testedFeature(readFeature(name, features, context));
        const { idempotencyKey, signal } = context;
        const before = progressSchema.safeParse(context.progress).data ?? { work: noWork, headline: "", sentence: "" };
        if (before.fixed === undefined) {
          const polled = await pollWork(async (call) => testRunner.test(feature, sha, call), {
            key: idempotencyKey,
            work: before.work,
            signal,
          });
          if (polled.kind === "running") return later(polled, before);
          const fixed = { ...polled.result };
          // What does not pass, or is another commit, is no fix, however many tests there were before.
          if (fixed.passed === 0 || fixed.failed > 0 || fixed.sha !== sha)
            return { kind: "done", output: outputOf(feature, fixed, undefined) };
          const headline = `${fixed.passed} tests passed on ${shortCommit(fixed.sha)}`;
          return { kind: "continue", afterMs: 0, progress: { fixed, work: noWork, headline, sentence: "" } };
        }
        const polled = await pollWork(async (call) => testRunner.test(feature, baseSha, call), {
          key: sha256(`${idempotencyKey} base`),
          work: before.work,
          signal,
        });
        if (polled.kind === "running") return later(polled, before);
        const { sha: tested } = polled.result;
        // How many tests another commit has says nothing of how many were taken away.
        if (tested !== baseSha)
          throw new StepFailure({
            reason: "refused_by_target",
            message: `The tests that were to run on ${shortCommit(baseSha)} to compare ran on ${shortCommit(tested)}.`,
            applied: "no",
          });
        return { kind: "done", output: outputOf(feature, before.fixed, polled.result) };
      },
    };
  },
});

function later(
  { afterMs, work, sentence }: { readonly afterMs: number; readonly work: z.output<typeof workProgressSchema>; readonly sentence: string },
  before: z.output<typeof progressSchema>,
): ActionResult {
  return { kind: "continue", afterMs, progress: { ...before, work, sentence }, early: true };
}

function testedFeature(feature: Feature): Feature {
  if (feature.tests !== undefined) return feature;
  throw invalidRelease(`Feature ${feature.name} has no tests in runbookd.yml; a person has to run them.`);
}

function outputOf({ name }: Feature, fixed: TestResult, base: TestResult | undefined): ActionOutput {
  return {
    feature: name,
    sha: fixed.sha,
    passed: fixed.passed,
    failed: fixed.failed,
    skipped: fixed.skipped,
    base_sha: base?.sha ?? "",
    base_passed: base?.passed ?? -1,
    base_tests: base === undefined ? -1 : base.passed + base.failed,
    url: fixed.url ?? "",
  };
}
