import { homedir } from "node:os";
import type { CommandRunner } from "../actions/command-runner.ts";
import { createCommandRunner } from "../integrations/command/create-command-runner.ts";
import { createGitCheckpoints } from "../integrations/git/create-git-checkpoints.ts";
import type { CheckpointRepository } from "../llm/tickets/checkpoint.ts";
import { findExecutable } from "../platform/find-executable.ts";
import type { Runtime } from "./runtime.ts";

/** Commands die with this process where setpriv is; elsewhere that is said. `maxBytes`: what is kept of each of their streams. */
export function openCommands({ config, clock, log, path, redaction }: Runtime, maxBytes?: number): CommandRunner {
  const setpriv = findExecutable(["setpriv"], path);
  if (setpriv === undefined && config.commands.length > 0)
    log.warn({}, "There is no setpriv (util-linux) on PATH: a command goes on to its end when this worker is killed.");
  return createCommandRunner({
    templates: config.commands,
    setpriv,
    clock,
    redact: (text) => redaction.apply(text),
    ...(maxBytes !== undefined && { maxBytes }),
  });
}

/** The repository that tickets work in; undefined when none is configured or there is no git. */
export function openCheckpoints({ config, clock, log, path }: Runtime): CheckpointRepository | undefined {
  if (config.ticketWork === undefined) return undefined;
  const git = findExecutable(["git"], path);
  if (git === undefined) {
    log.warn({}, "There is no git on PATH: the work of tickets cannot be preserved.");
    return undefined;
  }
  return createGitCheckpoints({
    ...config.ticketWork,
    git,
    clock,
    environment: { PATH: path, HOME: homedir() },
    protocols: ["https", "ssh", "file"],
  });
}
