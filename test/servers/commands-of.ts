import type { Redis } from "ioredis";

/** How often Redis carried out each command while `task` ran, those inside scripts included; those of the count itself are left out. */
export async function commandsOf(redis: Redis, task: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  await redis.config("RESETSTAT");
  await task();
  const lines = (await redis.info("commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries(
    [...lines].flatMap(([, name = "", calls = "0"]) => (/^(config|info)/.test(name) ? [] : [[name, Number(calls)] as const])),
  );
}
