import { spawn } from "node:child_process";
import { createHash } from "node:crypto";

/** What is read, and how. */
export interface ObjectsToVerify {
  readonly git: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ids: readonly string[];
}

/**
 * Reads every object and hashes it anew, because git itself believes a stored object without looking at all of it. Answers the first that is missing or is
 * not what its name says. Objects of any size are streamed; the format is that of `git cat-file --batch`.
 */
export async function firstBrokenObject({ git, cwd, env, ids }: ObjectsToVerify): Promise<string | undefined> {
  if (ids.length === 0) return undefined;
  const child = spawn(git, ["cat-file", "--batch", "--buffer"], {
    cwd,
    env,
    shell: false,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const gone = new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", reject);
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(`${ids.join("\n")}\n`);
  const checkedIds = new Set<string>();
  let line = "";
  let remainingBytes = -1;
  let id = "";
  let hash = createHash("sha1");
  let broken: string | undefined;
  for await (const chunk of child.stdout) {
    if (!Buffer.isBuffer(chunk)) continue;
    let at = 0;
    while (at < chunk.length && broken === undefined) {
      if (remainingBytes > 1) {
        const taken = Math.min(remainingBytes - 1, chunk.length - at);
        hash.update(chunk.subarray(at, at + taken));
        at += taken;
        remainingBytes -= taken;
      } else if (remainingBytes === 1) {
        // The line feed behind the content.
        if (hash.digest("hex") !== id) broken = id;
        checkedIds.add(id);
        at += 1;
        remainingBytes = -1;
      } else {
        const end = chunk.indexOf(10, at);
        line += chunk.subarray(at, end === -1 ? chunk.length : end).toString();
        at = end === -1 ? chunk.length : end + 1;
        if (end === -1) continue;
        const [name = "", type = "", size = ""] = line.split(" ");
        line = "";
        if (!/^\d+$/.test(size)) {
          broken = name;
          break;
        }
        id = name;
        // The name's length tells the repository's hash.
        hash = createHash(id.length === 64 ? "sha256" : "sha1").update(`${type} ${size}\0`);
        remainingBytes = Number(size) + 1;
      }
    }
    if (broken !== undefined) break;
  }
  child.kill();
  await gone.catch(() => undefined);
  return broken ?? ids.find((one) => !checkedIds.has(one));
}
