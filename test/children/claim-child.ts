/**
 * A process that claims a path for tests of claims. Environment: CLAIM_PATH, CLAIM_STALE_MS, CLAIM_ENDS (`released`, `killed`: how it ends when it had the
 * path for 5 ms, or `never`). Prints `ready`, waits for a line on its standard input, claims, then prints `held`, and `two` when another process was
 * in there with it.
 */
import { once } from "node:events";
import { mkdirSync, rmdirSync } from "node:fs";
import { createSystemClock } from "../../src/core/clock.ts";
import { createSystemRandom } from "../../src/core/random.ts";
import { claimPath } from "../../src/platform/claim-path.ts";

const setting = (name: string): string => process.env[name] ?? "";
const deps = { clock: createSystemClock(), random: createSystemRandom() };
const path = setting("CLAIM_PATH");
const inside = `${path}-inside`;

console.log("ready");
await once(process.stdin, "data");
const claim = await claimPath(path, { waitMs: 60_000, staleMs: Number(setting("CLAIM_STALE_MS")) }, deps);
if (claim.kind === "taken") throw new Error("The path is taken.");
try {
  mkdirSync(inside);
} catch {
  console.log("two");
}
console.log("held");
await deps.clock.sleep(setting("CLAIM_ENDS") === "never" ? 600_000 : 5);
rmdirSync(inside);
if (setting("CLAIM_ENDS") === "killed") process.kill(process.pid, "SIGKILL");
await claim.release();
process.exit(0);
