import { z } from "zod";
import { StepFailure } from "../../core/failure.ts";
import type { TestResult } from "../../llm/releases/test-runner.ts";
import {
  type CommitCommand,
  type CommitCommandDeps,
  commitTemplate,
  lastWords,
  printedCommit,
  printedResult,
  printedUrl,
  runCommitCommand,
} from "./run-commit-command.ts";

const count = z.int().min(0).max(10_000_000);

const resultSchema = z.object({
  sha: printedCommit,
  passed: count,
  failed: count,
  skipped: count.default(0),
  url: printedUrl.exactOptional(),
});

/**
 * Runs tests by a registered command, which checks the commit out into a work tree of its own and prints what came of them as one JSON object in its last
 * line: `{"sha": …, "passed": 6, "failed": 0, "skipped": 0}`. A status that is none of `ok_exits` is an answer only together with failed tests. Tests change
 * nothing, so that a command which was cut off is started again.
 * @throws StepFailure in what it returns.
 */
export function createCommandTests(deps: CommitCommandDeps): (command: CommitCommand) => Promise<TestResult> {
  return async ({ name, ...call }) => {
    const template = commitTemplate(deps, name);
    const ended = await runCommitCommand(deps, template, call);
    const result = printedResult(ended, resultSchema);
    if (result === undefined) {
      const message = `The command ${name} ended with status ${ended.code}, and its last line is no result of tests.${lastWords(ended)}`;
      throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
    }
    if (template.okExits.includes(ended.code) || result.failed > 0) return result;
    const message = `The command ${name} ended with status ${ended.code} and says that no test failed.${lastWords(ended)}`;
    throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
  };
}
