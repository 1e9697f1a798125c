import { homedir } from "node:os";
import { createGitCodeHost } from "../integrations/git/create-git-code-host.ts";
import type { CodeHosts } from "../llm/releases/code-host.ts";
import { findExecutable } from "../platform/find-executable.ts";
import type { Runtime } from "./runtime.ts";

/** Where the code of features is kept. A system that is not configured is absent. */
export function openCodeHosts({ config, clock, log, path }: Pick<Runtime, "config" | "clock" | "log" | "path">): CodeHosts {
  const { gitRepositories } = config;
  const git = Object.keys(gitRepositories).length === 0 ? undefined : findExecutable(["git"], path);
  if (git === undefined && Object.keys(gitRepositories).length > 0)
    log.warn({}, "There is no git on PATH: nothing can be merged in git_repositories.");
  return {
    ...(git !== undefined && {
      git: createGitCodeHost({ git, clock, environment: { PATH: path, HOME: homedir() }, repositories: gitRepositories }),
    }),
  };
}
