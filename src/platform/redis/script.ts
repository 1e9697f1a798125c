import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";

/** A Lua script that lives in its own file under `lua/`, with its contract in the comment above it. */
export interface Script {
  run(redis: Redis, keys: readonly string[], args: readonly (string | number | Buffer)[]): Promise<unknown>;
}

/** Lua that several scripts begin with, by the name of its file in `lua/` beside this module. */
export type Prelude = "claims" | "freeze" | "wl-ledger";

/**
 * Reads the script at `path`, with the text of `preludes` before it.
 * Runs by hash, and sends the text once when the server does not know it (after a restart or a failover).
 */
export function loadScript(path: string, preludes: readonly Prelude[] = []): Script {
  const shared = preludes.map((name) => join(import.meta.dirname, "lua", `${name}.lua`));
  const text = [...shared, path].map((file) => readFileSync(file, "utf8")).join("\n");
  const sha = createHash("sha1").update(text).digest("hex");
  return {
    async run(redis, keys, args) {
      try {
        return await redis.evalsha(sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return redis.eval(text, keys.length, ...keys, ...args);
      }
    },
  };
}

/** A script's list reply. Throws when it is none: then script and caller do not belong together. */
export function replyList(reply: unknown): readonly (string | number)[] {
  if (!Array.isArray(reply)) throw new Error("The script did not answer with a list.");
  return reply.map((item: unknown) => (typeof item === "number" ? item : String(item)));
}
