import { join } from "node:path";
import { freePort } from "../demo/free-ports.ts";
import type { Subject } from "./measure.ts";
import { createWorkFolder, type Fsync, startProgram, startRedis } from "./programs.ts";

/** One of the two programs that are compared, ready for load with a Redis of its own. */
export interface Side {
  readonly name: "floor" | "product" | "bare";
  start(fsync: Fsync, observerPath: string): Promise<Subject & AsyncDisposable>;
}

/** The small program with the same parts; `steps` 0 leaves only BullMQ behind the webhook. */
export function floorSide(steps: number): Side {
  return { name: steps === 0 ? "bare" : "floor", start: (fsync, observer) => startSide("floor.js", fsync, observer, [String(steps)]) };
}

/** The product: webhook, engine and ledger as they ship, with a trivial target. */
export function productSide(): Side {
  return { name: "product", start: (fsync, observer) => startSide("product.js", fsync, observer, []) };
}

async function startSide(file: string, fsync: Fsync, observerPath: string, args: readonly string[]): Promise<Subject & AsyncDisposable> {
  const folder = createWorkFolder();
  const redis = await startRedis(folder.path, fsync);
  const port = await freePort();
  const line = [join(import.meta.dirname, file), redis.socketPath, String(port), observerPath, ...args];
  const program = await startProgram(process.execPath, line, /^ready$/m);
  return {
    target: { port },
    pids: [program.pid, redis.pid],
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
