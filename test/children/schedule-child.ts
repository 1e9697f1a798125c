/**
 * A process that does scheduled work: `count` every second, which records its tick, and `block` every second, which records who holds it and never ends.
 * Arguments: Redis socket, name of the process. Prints `ready`.
 */
import { createSystemClock } from "../../src/core/clock.ts";
import { startScheduledWork } from "../../src/platform/queue/scheduled-work.ts";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { createRecordedLog } from "../fakes/recorded-log.ts";

const [socketPath = "", name = ""] = process.argv.slice(2);
const redis = connectRedis({ socketPath }, "worker");
const log = createRecordedLog((line) => process.stderr.write(`${JSON.stringify(line)}\n`));
startScheduledWork(
  [
    { name: "count", intervalMs: 1000, run: async () => void (await redis.rpush("ticks", name)) },
    {
      name: "block",
      // Longer than the test: what begins it again is the lost lock, not the next tick.
      intervalMs: 600_000,
      async run() {
        await redis.rpush("holders", name);
        await new Promise(() => undefined);
      },
    },
  ],
  { redis, prefix: "{rb}", clock: createSystemClock(), log, signal: new AbortController().signal, upsertIntervalMs: 500 },
);
process.stdout.write("ready\n");
