import type { Redis } from "ioredis";

/** What Redis did meanwhile. Commands inside scripts count one by one. */
export interface CommandCounts {
  readonly total: number;
  /** By name, e.g. `zrangebyscore`. */
  readonly calls: Readonly<Record<string, number>>;
  /** Bytes of all replies. */
  readonly outputBytes: number;
}

/** Commands that Redis executes while `work` runs, by its own statistics: of every client, without those that ask for the statistics. */
export async function countCommands<Result>(
  redis: Redis,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly commands: CommandCounts }> {
  await redis.config("RESETSTAT");
  const before = bytesIn(await redis.info("stats"));
  const result = await work();
  // The two replies are written after the numbers in them were read, so only the first is in the difference.
  const stats = await redis.info("stats");
  const calls: Record<string, number> = {};
  for (const line of (await redis.info("commandstats")).split("\r\n")) {
    const match = /^cmdstat_([^:]+):calls=(\d+)/u.exec(line);
    const name = match?.[1] ?? "";
    if (match !== null && !/^(?:info|config)/u.test(name)) calls[name] = Number(match[2]);
  }
  return {
    result,
    commands: {
      total: Object.values(calls).reduce((sum, one) => sum + one, 0),
      calls,
      outputBytes: bytesIn(stats) - before,
    },
  };
}

function bytesIn(stats: string): number {
  return Number(/^total_net_output_bytes:(\d+)/mu.exec(stats)?.[1] ?? Number.NaN);
}
