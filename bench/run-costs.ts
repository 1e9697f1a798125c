import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../demo/free-ports.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { commandsOf } from "../test/servers/commands-of.ts";
import { sendAll } from "./load.ts";
import { createObserver } from "./observer.ts";
import { createWorkFolder, startProgram, startRedis } from "./programs.ts";

/** What one run of five steps costs, in things that are counted and do not depend on the machine or its load. */
export interface RunCosts {
  /** Calls of scripts, those of BullMQ included. */
  readonly scripts: number;
  /** Hashes that the program asks for. */
  readonly hashes: number;
  /** Bytes of the append-only file. */
  readonly writtenBytes: number;
}

/** The most that is permitted of each. */
export const runCostTargets: RunCosts = { scripts: 8, hashes: 30, writtenBytes: 11_500 };

const warmUp = 20;

/** Counts over `runs` runs, one alert per POST and `atOnce` of them at the same time, in a product and a Redis of their own; compiled programs beside this one. */
export async function countRunCosts(runs: number, atOnce: number, programs: string = import.meta.dirname): Promise<RunCosts> {
  using folder = createWorkFolder();
  await using observer = await createObserver(join(folder.path, "observer.sock"));
  await using server = await startRedis(folder.path, "always");
  const port = await freePort();
  const hashFile = join(folder.path, "hashes");
  await using program = await startProgram(
    process.execPath,
    ["--import", join(programs, "count-hashes.js"), join(programs, "product.js"), server.socketPath, String(port), observer.path],
    /^ready$/m,
    { COUNT_HASHES_TO: hashFile },
  );
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  const readHashes = async (): Promise<number> => {
    rmSync(hashFile, { force: true });
    process.kill(program.pid, "SIGUSR2");
    while (!existsSync(hashFile) || readFileSync(hashFile, "utf8") === "") await new Promise((resolve) => setTimeout(resolve, 20));
    return Number(readFileSync(hashFile, "utf8"));
  };
  const writtenBytes = async (): Promise<number> => Number(/^aof_current_size:(\d+)/m.exec(await redis.info("persistence"))?.[1]);
  const work = async (prefix: string, count: number): Promise<void> => {
    const ids = Array.from({ length: count }, (_, index) => prefix + index.toString(16).padStart(12, "0"));
    const { finished } = observer.expect(count, 60_000);
    await Promise.all([
      sendAll(
        { port },
        ids.map((id) => [id]),
        atOnce,
      ),
      finished,
    ]);
  };
  try {
    await work("aaaa", warmUp);
    const [hashesBefore, bytesBefore] = [await readHashes(), await writtenBytes()];
    const commands = await commandsOf(redis, async () => work("bbbb", runs));
    return {
      scripts: ((commands["evalsha"] ?? 0) + (commands["eval"] ?? 0)) / runs,
      hashes: ((await readHashes()) - hashesBefore) / runs,
      writtenBytes: ((await writtenBytes()) - bytesBefore) / runs,
    };
  } finally {
    redis.disconnect();
  }
}
