import type { CodeHosts } from "../llm/releases/code-host.ts";
import { createMemoryCodeHost, type MemoryCodeHost } from "./memory-code-host.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { repositoryOf } from "./simulated-features.ts";

/** What bringing a fix into service acts on in a rehearsal. */
export interface SimulatedReleases {
  readonly codeHosts: CodeHosts;
  /** Not a port: what happens in the repositories from outside. */
  readonly code: MemoryCodeHost;
}

/** Each feature has a repository with a fix on the branch `hotfix/<feature>`. */
export function createSimulatedReleases({ features }: Pick<Rehearsal, "features">, changed: (line: string) => void): SimulatedReleases {
  const code = createMemoryCodeHost(
    features.map(({ name }) => repositoryOf(name)),
    changed,
  );
  for (const { name } of features)
    code.commit(repositoryOf(name), { branch: `hotfix/${name}`, files: { "src/fix.js": "fixed" }, message: `Close the hole in ${name}` });
  return { codeHosts: { git: code }, code };
}
