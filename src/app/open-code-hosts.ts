import { homedir } from "node:os";
import type { Log } from "../core/log.ts";
import { createGitCodeHost } from "../integrations/git/create-git-code-host.ts";
import { createGitHubClient, gitHubRequestLimits } from "../integrations/github/create-github-client.ts";
import { createGitHubCodeHost } from "../integrations/github/create-github-code-host.ts";
import { createGitHubWorkflows, type GitHubWorkflows } from "../integrations/github/create-github-workflows.ts";
import type { CodeHost, CodeHosts } from "../llm/releases/code-host.ts";
import { findExecutable } from "../platform/find-executable.ts";
import { createBoundedSender } from "../platform/requests/bounded-request.ts";
import type { Runtime } from "./runtime.ts";

/** Where the code of features is kept, and what workflows there carry out. A system that is not configured is absent. */
export interface OpenCodeHosts {
  readonly codeHosts: CodeHosts;
  readonly workflows: GitHubWorkflows | undefined;
}

type CodeHostDeps = Pick<Runtime, "config" | "clock" | "path"> & { readonly log: Pick<Log, "warn"> };

/** Opens the code hosts that runbookd.yml names. */
export function openCodeHosts(runtime: CodeHostDeps & Pick<Runtime, "closers">): OpenCodeHosts {
  const { config, clock, closers } = runtime;
  const git = openGit(runtime);
  if (config.gitHubAccess === undefined) return { codeHosts: { ...(git !== undefined && { git }) }, workflows: undefined };
  const sender = createBoundedSender(gitHubRequestLimits, { clock });
  closers.add("github code host", async () => sender.close());
  // One client: what one call learns of a limit holds for all.
  const client = createGitHubClient(sender, config.gitHubAccess, clock);
  const github = createGitHubCodeHost(client, clock);
  return { codeHosts: { github, ...(git !== undefined && { git }) }, workflows: createGitHubWorkflows(client, clock) };
}

function openGit({ config, clock, log, path }: CodeHostDeps): CodeHost | undefined {
  const { gitRepositories: repositories } = config;
  if (Object.keys(repositories).length === 0) return undefined;
  const git = findExecutable(["git"], path);
  if (git !== undefined) return createGitCodeHost({ git, clock, environment: { PATH: path, HOME: homedir() }, repositories });
  log.warn({}, "There is no git on PATH: nothing can be merged in git_repositories.");
  return undefined;
}
