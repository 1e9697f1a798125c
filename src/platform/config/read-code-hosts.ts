import type { Feature } from "../../core/feature.ts";
import type { Config } from "./config.ts";
import type { ConfigFault } from "./config-fault.ts";
import { acceptedFor, type Settings } from "./settings-schema.ts";

/** Where the code of features is kept, and what is missing for it: a code host that is named must be there. */
export function readCodeHosts(
  { GITHUB_TOKEN: token, GITHUB_API_URL: apiUrl, git_repositories: gitRepositories = {} }: Settings,
  features: readonly Feature[],
  faults: ConfigFault[],
): Pick<Config, "gitRepositories" | "gitHubAccess"> {
  const refuse = (feature: string, problem: string, accepted: string) =>
    faults.push({ key: "features", source: "together", problem: `(at ${feature}) ${problem}`, accepted });
  const named = new Set(Object.keys(gitRepositories).map((name) => name.toLowerCase()));
  for (const { name, codeHost, repository } of features) {
    if (codeHost === undefined) continue;
    if (repository === undefined) refuse(`${name}.code_host`, "is set without repository", "repository (owner/name) beside it");
    else if (codeHost === "git" && !named.has(repository.toLowerCase()))
      refuse(`${name}.code_host`, `is git, and git_repositories has no ${repository}`, acceptedFor("git_repositories"));
  }
  const needsGitHub = features.some(({ codeHost }) => codeHost === "github");
  if (needsGitHub && token === undefined)
    faults.push({
      key: "GITHUB_TOKEN",
      source: "together",
      problem: "is missing while a feature has code_host github",
      accepted: acceptedFor("GITHUB_TOKEN"),
    });
  return { gitRepositories, gitHubAccess: needsGitHub && token !== undefined ? { apiUrl, token } : undefined };
}
