import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { git, plainly } from "./git-repository.ts";

/** A bare repository with the branch `main`, whose only commit has the file README.md, and what a person does with it from outside. */
export interface BareOrigin {
  readonly path: string;
  commit(branch: string, files: Readonly<Record<string, string>>, message?: string): string;
  tip(branch: string): string | undefined;
  parents(sha: string): readonly string[];
}

/** Makes it as `origin.git` in the folder `root`, with commit ids of this hash. */
export function aBareOrigin(root: string, hash: "sha1" | "sha256" = "sha1"): BareOrigin {
  const path = join(root, "origin.git");
  plainly(root, "init", "-q", "--bare", "-b", "main", `--object-format=${hash}`, path);

  const withInput = (input: string, env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    execFileSync(git, ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.hooksPath=/dev/null", ...args], {
      cwd: path,
      input,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], GIT_CONFIG_GLOBAL: "/dev/null", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    }).trim();
  const tip = (branch: string): string | undefined => {
    const listed = plainly(path, "for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`);
    return listed === "" ? undefined : listed;
  };
  const commit: BareOrigin["commit"] = (branch, files, message = "Change") => {
    const parent = tip(branch) ?? tip("main");
    const scratch = mkdtempSync(join(root, "index-"));
    const env = { GIT_INDEX_FILE: join(scratch, "index") };
    try {
      if (parent !== undefined) withInput("", env, "read-tree", parent);
      for (const [file, text] of Object.entries(files)) {
        const id = withInput(text, env, "hash-object", "-w", "--stdin");
        withInput("", env, "update-index", "--add", "--cacheinfo", `100644,${id},${file}`);
      }
      const tree = withInput("", env, "write-tree");
      const parents = parent === undefined ? [] : ["-p", parent];
      const sha = withInput(message, env, "commit-tree", tree, ...parents, "-F", "-");
      withInput("", env, "update-ref", `refs/heads/${branch}`, sha);
      return sha;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  };
  commit("main", { "README.md": "desk" }, "base");
  return { path, commit, tip, parents: (sha) => plainly(path, "log", "-1", "--format=%P", sha).split(" ") };
}
