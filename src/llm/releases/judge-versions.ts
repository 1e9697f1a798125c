import { shortCommit } from "../../core/commit-id.ts";
import type { RunningVersion } from "./deployer.ts";

/** What the processes of an application show of one release. */
export interface VersionsJudgement {
  readonly processes: number;
  /** Processes that run the commit. */
  readonly current: number;
  /** Of them, those that were not there before: a process that was not started anew cannot run another commit. */
  readonly fresh: number;
  /** What is not shown, one sentence each. */
  readonly gaps: readonly string[];
}

/** Compares what the processes say with one commit. `before`: names of the processes that ran before the deployment. Pure. */
export function judgeVersions(versions: readonly RunningVersion[], sha: string, before: readonly string[]): VersionsJudgement {
  const names = new Set<string>();
  const gaps: string[] = [];
  let [current, fresh] = [0, 0];
  for (const { url, instance, sha: running } of versions) {
    if (running !== sha) {
      gaps.push(
        `${url} ${running === undefined ? "does not say which commit it runs" : `runs ${shortCommit(running)} and not ${shortCommit(sha)}`}.`,
      );
      continue;
    }
    current += 1;
    if (instance === undefined) gaps.push(`${url} does not name its process, so that it is not shown to be a new one.`);
    else if (before.includes(instance)) gaps.push(`${url} is the same process as before the deployment.`);
    else if (names.has(instance)) gaps.push(`The process at ${url} answers at more than one address.`);
    else {
      names.add(instance);
      fresh += 1;
    }
  }
  if (versions.length === 0) gaps.push("No process can be asked which commit it runs.");
  return { processes: versions.length, current, fresh, gaps };
}

/** Whether every process runs the commit, each of them a process that was not there before. */
export function isDeployed({ processes, current, fresh }: VersionsJudgement): boolean {
  return processes > 0 && current === processes && fresh === processes;
}

/** The commit that all processes run; undefined: they differ, or one does not say. */
export function commonVersion(versions: readonly RunningVersion[]): string | undefined {
  const [first, ...others] = versions;
  return first?.sha !== undefined && others.every(({ sha }) => sha === first.sha) ? first.sha : undefined;
}
