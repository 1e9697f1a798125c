import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A commit that is to be checked out. */
export interface WantedCommit {
  readonly git: string;
  /** Path of the bare repository. */
  readonly origin: string;
  /** Full commit id. */
  readonly sha: string;
  /** Folder that does not exist yet. */
  readonly folder: string;
}

/** Clones the origin into a new folder at exactly one commit, and answers the commit id that git reads there. Rejects when the origin has no such commit. */
export async function checkOutCommit({ git, origin, sha, folder }: WantedCommit): Promise<string> {
  await run(git, ["clone", "-q", "--no-checkout", origin, folder]);
  await run(git, ["-c", "advice.detachedHead=false", "checkout", "-q", "--detach", sha], { cwd: folder });
  return (await run(git, ["rev-parse", "HEAD"], { cwd: folder })).stdout.trim();
}
