import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type FileTexts, fixedFiles, openFiles } from "./desk-files.ts";

const run = promisify(execFile);

/** Branch of the hotfix. */
export const hotfixBranch = "hotfix/export-scope";

/** The application's repository: a bare origin, and the clone that a developer works in. */
export interface DeskRepository {
  /** Path of the bare origin. */
  readonly origin: string;
  /** Full commit id that is deployed at first. */
  readonly deployedSha: string;
  /** Full commit id of a branch of the origin; undefined: there is no such branch. */
  headOf(branch: string): Promise<string | undefined>;
  /** Puts the hotfix on its branch, and answers its commit id. Doing it again changes nothing. */
  pushHotfix(files?: FileTexts): Promise<string>;
  /** Adds a commit to the hotfix's branch, as a developer does who does not know that it was approved. */
  pushLateCommit(): Promise<string>;
}

/** Makes the repository below `root`. */
export async function makeDeskRepository(root: string, git: string): Promise<DeskRepository> {
  const origin = join(root, "desk.git");
  const clone = join(root, "desk");
  await mkdir(clone, { recursive: true });
  const identity = ["-c", "user.name=demo", "-c", "user.email=demo@demo.invalid", "-c", "commit.gpgsign=false"];
  const call = async (cwd: string, ...args: readonly string[]) => (await run(git, [...identity, ...args], { cwd })).stdout.trim();
  const commit = async (message: string, files: FileTexts) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), text);
    }
    await call(clone, "add", "-A");
    await call(clone, "commit", "-q", "-m", message);
    return call(clone, "rev-parse", "HEAD");
  };
  await call(root, "init", "-q", "--bare", "-b", "main", origin);
  await call(clone, "init", "-q", "-b", "main");
  const deployedSha = await commit("Export a ticket to its customer", openFiles);
  await call(clone, "remote", "add", "origin", origin);
  await call(clone, "push", "-q", "origin", "main");
  let fix: string | undefined;

  return {
    origin,
    deployedSha,
    headOf: async (branch) => call(clone, "ls-remote", origin, `refs/heads/${branch}`).then((line) => line.split(/\s/)[0] || undefined),
    async pushHotfix(files = fixedFiles) {
      if (fix !== undefined) return fix;
      await call(clone, "checkout", "-q", "-b", hotfixBranch);
      fix = await commit("Send reports to the customer's address only, and fence the ticket's text", files);
      await call(clone, "push", "-q", "origin", hotfixBranch);
      return fix;
    },
    async pushLateCommit() {
      const late = await commit("Explain where reports go", { "README.md": "# desk\n\nReports go to the customer's address.\n" });
      await call(clone, "push", "-q", "origin", hotfixBranch);
      return late;
    },
  };
}
