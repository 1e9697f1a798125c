import type { GitSetting } from "../../core/inert-git.ts";
import type { RunGit } from "./run-git.ts";

/**
 * The folders that the owner of this machine and of this account trust although they belong to another user, as git itself advises to set them
 * (`git config --global --add safe.directory …`). Nothing else of those files counts here.
 */
export async function readSafeFolders(run: RunGit): Promise<readonly GitSetting[]> {
  const read = async (scope: "--system" | "--global"): Promise<readonly string[]> => {
    const answer = await run({
      cwd: "/",
      args: ["config", scope, "--null", "--get-all", "safe.directory"],
      env: { GIT_CONFIG_NOSYSTEM: "0", GIT_CONFIG_GLOBAL: undefined },
      ok: [0, 1, 128],
    });
    return answer.code === 0 ? answer.text.split("\0").slice(0, -1) : [];
  };
  return [...(await read("--system")), ...(await read("--global"))].map((folder) => ["safe.directory", folder]);
}
