import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Clock, within } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { RandomSource } from "../../core/random.ts";
import { findExecutable } from "../find-executable.ts";
import { claimFolder, FolderInUse, type FolderOwner } from "../folder-owner.ts";
import { livenessOf, type ProcessView } from "../process-identity.ts";
import { connectRedis } from "./connection.ts";

/** Our own Redis: a child process on a private unix socket, with its data in our folder. */
export interface EmbeddedRedis {
  readonly socketPath: string;
  /** SIGTERM, so that Redis writes what it has; resolves when it is gone. */
  close(): Promise<void>;
}

/** What `redis-server` or `valkey-server` is found by, and how it is owned. */
export interface EmbeddedOptions {
  /** Folder of ours; made with mode 0700. */
  readonly folder: string;
  /** Value of PATH. */
  readonly path: string;
  /** Further folders to look in, e.g. the project's own tools. */
  readonly places: readonly string[];
  readonly host: string;
  readonly view: ProcessView;
  readonly clock: Clock;
  readonly random: Pick<RandomSource, "uuid">;
  readonly log: Pick<Log, "warn">;
  /** Told when the child ends although nobody asked. */
  readonly died: (code: number | null) => void;
}

const readyWithinMs = 10_000;
/** How long a redis-server that an earlier process left may take to end. */
const orphanEndsWithinMs = 10_000;
const orphanPollMs = 100;

/**
 * Makes this process the only owner of the folder, ends a redis-server that an earlier process left there, starts one and waits until it answers. With
 * setpriv it ends with this process. Throws FolderInUse when another process owns the folder or a server that was left does not end,
 * with what to install when there is no server, and with its own words when it does not start.
 */
export async function startEmbeddedRedis(options: EmbeddedOptions): Promise<EmbeddedRedis> {
  const { clock, view } = options;
  const binary = findExecutable(["redis-server", "valkey-server"], options.path, options.places);
  if (binary === undefined) {
    throw new Error(
      "No redis-server or valkey-server was found. Install one (Debian: apt-get install redis-server, macOS: brew install redis), or set REDIS_URL.",
    );
  }
  const folder = resolve(options.folder, "redis");
  const socketPath = join(folder, "redis.sock");
  let lost: () => void = () => undefined;
  const owned = await claimFolder({ ...options, folder, lost: () => lost() });
  try {
    await chmod(folder, 0o700);
    await endOrphan({ socketPath, folder, previous: owned.previous }, options);
    const child = spawnServer(binary, folder, options);
    let closing = false;
    const gone = once(child, "exit");
    child.once("exit", (code) => {
      if (!closing) options.died(code);
    });
    lost = () => {
      options.log.warn({ folder }, "Another process has taken the folder of the embedded redis-server; this one is ended.");
      child.kill("SIGTERM");
    };
    await untilReady(child, socketPath, clock);
    await owned.recordChild(identityOf(child, view));
    return {
      socketPath,
      async close() {
        closing = true;
        child.kill("SIGTERM");
        await gone;
        await owned.release();
      },
    };
  } catch (error) {
    await owned.release();
    throw error;
  }
}

type Child = ChildProcess & { readonly said: () => string };

function spawnServer(binary: string, folder: string, { path, log }: EmbeddedOptions): Child {
  const setpriv = findExecutable(["setpriv"], path);
  if (setpriv === undefined)
    log.warn(
      {},
      "There is no setpriv (util-linux) on PATH: the embedded redis-server goes on when this process is killed, until the next start ends it.",
    );
  const argv = [
    setpriv === undefined ? [] : [setpriv, "--pdeathsig", "TERM", "--"],
    [binary, "--port", "0", "--unixsocket", join(folder, "redis.sock"), "--unixsocketperm", "700", "--dir", folder, "--daemonize", "no"],
    ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning"],
  ].flat();
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = `${said}${String(chunk)}`.slice(-2000)));
  return Object.assign(child, { said: () => said.trim() });
}

function identityOf({ pid }: ChildProcess, { self, startTimeOf }: ProcessView): FolderOwner["child"] {
  if (pid === undefined) return undefined;
  return { pid, bootId: self.bootId, pidNamespace: self.pidNamespace, startTime: startTimeOf(pid) ?? "unknown" };
}

/**
 * Two servers that append to one file destroy what they write. One that was left by a killed process is found by its socket or its pid, and ended so
 * that it writes what it has.
 */
async function endOrphan(
  { socketPath, folder, previous }: { readonly socketPath: string; readonly folder: string; readonly previous: FolderOwner | undefined },
  { clock, view, log }: EmbeddedOptions,
): Promise<void> {
  const child = previous?.child;
  const lives = () => child !== undefined && livenessOf(child, view) === "alive";
  const answers = await isShutDown(socketPath, clock);
  if (!answers && !lives()) return;
  log.warn({ folder, pid: child?.pid }, "A redis-server that an earlier process left was found; it is ended before a new one starts.");
  if (!answers && child !== undefined) process.kill(child.pid, "SIGTERM");
  for (let waitedMs = 0; waitedMs < orphanEndsWithinMs; waitedMs += orphanPollMs) {
    if (!lives() && !(await isAnswered(socketPath, clock))) return;
    await clock.sleep(orphanPollMs);
  }
  const what = child === undefined ? "an earlier redis-server" : `an earlier redis-server (process ${child.pid})`;
  throw new FolderInUse(`${folder} is in use by ${what}, which does not end. End it, then start again.`);
}

/** Whether a server answered on the socket and was asked to save and end. */
async function isShutDown(socketPath: string, clock: Clock): Promise<boolean> {
  return askOnce(socketPath, clock, async (redis) => {
    await redis.ping();
    // The connection breaks when it has ended.
    await redis.call("SHUTDOWN", "SAVE").catch(() => undefined);
  });
}

async function isAnswered(socketPath: string, clock: Clock): Promise<boolean> {
  return askOnce(socketPath, clock, async (redis) => redis.ping());
}

async function askOnce(
  socketPath: string,
  clock: Clock,
  ask: (redis: ReturnType<typeof connectRedis>) => Promise<unknown>,
): Promise<boolean> {
  const redis = connectRedis({ socketPath }, "request");
  const failed = once(redis, "close").then(() => Promise.reject(new Error("Nothing answers on the socket.")));
  try {
    await within(clock, askWithinMs, Promise.race([once(redis, "ready"), failed]));
    await ask(redis);
    return true;
  } catch {
    return false;
  } finally {
    failed.catch(() => undefined);
    redis.disconnect();
  }
}

const askWithinMs = 2000;

async function untilReady(child: Child, socketPath: string, clock: Clock): Promise<void> {
  const redis = connectRedis({ socketPath }, "worker");
  try {
    await Promise.race([
      redis.ping(),
      once(child, "exit").then(() => Promise.reject(new Error(`redis-server ended at once: ${child.said()}`))),
      new Promise((_resolve, reject) =>
        clock.after(readyWithinMs, () => reject(new Error(`redis-server did not answer in time: ${child.said()}`))),
      ),
    ]);
  } finally {
    redis.disconnect();
  }
}
