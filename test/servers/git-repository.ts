import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createGitCheckpoints } from "../../src/integrations/git/create-git-checkpoints.ts";

/** The git of this machine. */
export const git = execFileSync("/usr/bin/which", ["git"], { encoding: "utf8" }).trim();

/** What git prints without a final line end, run as a person would in the folder `cwd`; throws when it fails. */
export function plainly(cwd: string, ...args: readonly string[]): string {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
  return execFileSync(git, [...identity, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** A repository of these files (path → text) with one commit and a bare origin, and the checkpoints over it; all of it under `root`. */
export function aGitRepository(root: string, files: Readonly<Record<string, string>>) {
  const [origin, folder, worktrees] = [join(root, "origin.git"), join(root, "repository"), join(root, "worktrees")];
  plainly(root, "init", "-q", "--bare", "-b", "main", origin);
  plainly(root, "init", "-q", "-b", "main", folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  plainly(folder, "add", "-A");
  plainly(folder, "commit", "-q", "-m", "base");
  plainly(folder, "remote", "add", "origin", origin);
  plainly(folder, "push", "-q", "origin", "main");
  const checkpoints = createGitCheckpoints({
    git,
    environment: { PATH: "/usr/bin:/bin" },
    repository: folder,
    worktrees,
    protocols: ["file"],
  });
  return { origin, folder, worktrees, checkpoints };
}
