import { z } from "zod";
import { StepFailure } from "../../core/failure.ts";
import type { DeploymentResult } from "../../llm/releases/deployer.ts";
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

const resultSchema = z.object({ sha: printedCommit, url: printedUrl.exactOptional() });

/**
 * Deploys by a registered command, which prints what it deployed as one JSON object in its last line: `{"sha": …}`. A command with a probe is probed first, so
 * that what a worker began before it died is not begun again; any other one must be one that may run twice (`effect: set`).
 * @throws StepFailure in what it returns.
 */
export function createCommandDeployer(deps: CommitCommandDeps): (command: CommitCommand) => Promise<DeploymentResult> {
  return async ({ name, ...call }) => {
    const template = commitTemplate(deps, name);
    const { probe } = template;
    if (probe === undefined && template.effect === "once") {
      const message = `The command ${name} has effect "once": after a crash it could not be known whether it deployed. Give it a probe, or effect "set".`;
      throw new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
    }
    if (probe !== undefined) {
      const probed = await runCommitCommand(deps, template, { ...call, argv: probe.argv });
      if (probe.applied.includes(probed.code)) return printedResult(probed, resultSchema) ?? { sha: call.sha };
      if (!probe.notApplied.includes(probed.code)) {
        const message = `The probe of the command ${name} ended with status ${probed.code}.${lastWords(probed)}`;
        throw new StepFailure({ reason: "unknown_outcome", message, applied: "unknown" });
      }
    }
    const ended = await runCommitCommand(deps, template, call);
    if (template.notAppliedExits.includes(ended.code)) {
      const message = `The command ${name} refused with status ${ended.code}.${lastWords(ended)}`;
      throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
    }
    const result = template.okExits.includes(ended.code) ? printedResult(ended, resultSchema) : undefined;
    if (result !== undefined) return result;
    const what = template.okExits.includes(ended.code) ? ", and its last line does not say what it deployed" : "";
    const message = `The command ${name} ended with status ${ended.code}${what}.${lastWords(ended)}`;
    throw new StepFailure({ reason: "refused_by_target", message, applied: "unknown" });
  };
}
