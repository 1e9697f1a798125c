import type { CodeHost, CodeHosts } from "../llm/releases/code-host.ts";
import { createMemoryCodeHost, type MemoryCodeHost } from "./memory-code-host.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { repositoryOf } from "./simulated-features.ts";

/** What bringing a fix into service acts on in a rehearsal. */
export interface SimulatedReleases {
  readonly codeHosts: CodeHosts;
  /** Not a port: what happens in the repositories from outside. */
  readonly code: MemoryCodeHost;
}

/** Each feature has a repository with a fix on the branch `hotfix/<feature>`, and on as many more as the rehearsal says. */
export function createSimulatedReleases({ features }: Pick<Rehearsal, "features">, changed: (line: string) => void): SimulatedReleases {
  const code = createMemoryCodeHost(
    features.map(({ name }) => repositoryOf(name)),
    changed,
  );
  const pushToMain = (repository: string) =>
    code.commit(repository, { branch: "main", files: { "src/other.js": "other" }, message: "Other work" });
  for (const { name, release } of features) {
    for (let nth = 1; nth <= release.fixes; nth += 1) {
      const branch = nth === 1 ? `hotfix/${name}` : `hotfix/${name}-${nth}`;
      code.commit(repositoryOf(name), { branch, files: { "src/fix.js": "fixed" }, message: `Close the hole in ${name}` });
    }
    if (release.behind) pushToMain(repositoryOf(name));
  }
  const moving = new Map(features.flatMap(({ name, release }) => (release.moves ? [[repositoryOf(name), `hotfix/${name}`]] : [])));
  const baseMoving = new Set(features.flatMap(({ name, release }) => (release.baseMoves ? [repositoryOf(name)] : [])));
  const git: CodeHost = {
    ...code,
    async mergeChange(request) {
      const branch = moving.get(request.repository);
      if (branch !== undefined) code.commit(request.repository, { branch, files: { "src/fix.js": "another" }, message: "Another thought" });
      moving.delete(request.repository);
      if (baseMoving.delete(request.repository)) pushToMain(request.repository);
      return code.mergeChange(request);
    },
  };
  return { codeHosts: { git }, code };
}
