import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { z } from "zod";
import { findProgram } from "../../demo/find-program.ts";
import { packageFolder } from "../../src/cli/process-context.ts";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { until } from "../../test/servers/until.ts";
import type { Orphaning } from "./history.ts";

/** A whole runbookd with a redis-server of its own, which is killed without its server. */
export interface EmbeddedParent extends AsyncDisposable {
  /** Where its webhook is; empty while it does not listen. */
  ports(): readonly number[];
  /** To its Redis; waits while there is none. */
  readonly redis: Redis;
  /**
   * SIGKILL to the process that started the server; the next one starts `afterMs` later. `isBound`: whether that one can bind its server to its life.
   * False: the last one is not ready yet.
   */
  killParent(afterMs: number, isBound: boolean): boolean;
  readonly orphanings: readonly Orphaning[];
  /** When which process was killed. */
  readonly deaths: readonly { readonly pid: number; readonly at: number }[];
  /** Resolves when the process that was started last is ready. */
  settled(): Promise<void>;
}

/** Beyond the numbers of the other processes. */
const firstNumber = 1_000_000;
/** A server that is bound to its parent ends as soon as it has written what it has. */
const endsAloneWithinMs = 10_000;
const readyWithinMs = 60_000;

const unboundSetpriv = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n';

const ownerSchema = z.object({ child: z.object({ pid: z.number() }) });

/** Starts it in a folder, with this environment. */
export async function startEmbeddedParent(folder: string, env: Readonly<Record<string, string>>): Promise<EmbeddedParent> {
  const program = join(packageFolder(), "dist/test/children/crash-child.js");
  const data = join(folder, "data");
  // A server is bound to its parent by setpriv, and by one that does nothing it is not.
  const bare = join(folder, "bin");
  mkdirSync(bare, { recursive: true });
  symlinkSync(findProgram("redis-server", "valkey-server"), join(bare, "redis-server"));
  writeFileSync(join(bare, "setpriv"), unboundSetpriv, { mode: 0o755 });
  const full = process.env["PATH"] ?? "";
  const orphanings: Orphaning[] = [];
  const deaths: { pid: number; at: number }[] = [];
  let count = 0;
  let isClosing = false;
  let current: { child: ChildProcess; pid: number; port: number; isBound: boolean } | undefined;
  let changing: Promise<void> = Promise.resolve();

  const start = async (isBound: boolean): Promise<void> => {
    const pid = firstNumber + (count += 1);
    const variables = { RB_OWN_REDIS: data, RB_PATH: isBound ? full : bare, RB_HOST: "own", RB_PROCESS: String(pid) };
    const child = spawn(process.execPath, [program], { env: { PATH: full, ...env, ...variables }, stdio: ["ignore", "pipe", "pipe"] });
    const member = { child, pid, port: 0, isBound };
    current = member;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = `${said}${String(chunk)}`.slice(-5000)));
    await until(
      "the process with its own Redis works",
      () => {
        if (isClosing) return true;
        if (child.exitCode !== null) throw new Error(`The process with its own Redis ended with ${child.exitCode}: ${said}`);
        return /^name /m.test(said);
      },
      readyWithinMs,
    );
    member.port = Number(/ready (\d+)/.exec(said)?.[1] ?? 0);
  };
  const serverPid = (): number => ownerSchema.parse(JSON.parse(readFileSync(join(data, "redis", "owner.json"), "utf8"))).child.pid;
  const endServer = (pid: number): void => {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  };

  const restart = async (afterMs: number, isBound: boolean): Promise<void> => {
    if (current === undefined) return;
    const [pid, wasBound] = [serverPid(), current.isBound];
    const { child } = current;
    deaths.push({ pid: current.pid, at: Date.now() });
    current.port = 0;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    await pause(afterMs);
    if (wasBound) await until("it ended", () => isClosing || !isAlive(pid), endsAloneWithinMs).catch(() => undefined);
    const endedAlone = !isAlive(pid);
    await start(isBound);
    orphanings.push({ pid, isBound: wasBound, endedAlone, livedBesideNext: isAlive(pid) && serverPid() !== pid });
    // What a broken build leaves must not outlive this suite.
    endServer(pid);
  };

  const endWithUs = (): void => {
    current?.child.kill("SIGKILL");
    try {
      endServer(serverPid());
    } catch {
      // There is none.
    }
  };
  process.once("exit", endWithUs);
  await start(true);
  const redis = connectRedis({ socketPath: join(data, "redis", "redis.sock") }, "worker");

  return {
    redis,
    orphanings,
    deaths,
    ports: () => (current === undefined || current.port === 0 ? [] : [current.port]),
    killParent(afterMs, isBound) {
      if (current === undefined || current.port === 0) return false;
      changing = restart(afterMs, isBound);
      // Its failure is heard where the suite ends.
      changing.catch(() => undefined);
      return true;
    },
    settled: async () => changing,
    async [Symbol.asyncDispose]() {
      isClosing = true;
      process.off("exit", endWithUs);
      redis.disconnect();
      endWithUs();
      await changing.catch(() => undefined);
      endWithUs();
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A process that has ended and was not waited for yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
