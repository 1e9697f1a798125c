import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { type Clock, within } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import type { Log } from "../../core/log.ts";
import type { RandomSource } from "../../core/random.ts";
import { type ClaimedPath, claimPath, type PathOwner } from "../claim-path.ts";
import { findExecutable } from "../find-executable.ts";
import { livenessOf, type ProcessIdentity, type ProcessView, processesIn } from "../process-identity.ts";
import { connectRedis } from "./connection.ts";

/** The folder belongs to another process that lives, or may live. */
export class FolderInUse extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FolderInUse";
  }
}

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
  readonly view: ProcessView;
  readonly clock: Clock;
  readonly random: Pick<RandomSource, "uuid" | "fraction">;
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
 * setpriv it ends with this process. Throws FolderInUse when another process owns the folder or a server that was left does not end or cannot be
 * identified, with what to install when there is no server, and with its own words when it does not start.
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
  const owned = await claimFolder(folder, () => lost(), options);
  try {
    await chmod(folder, 0o700);
    await endOrphans({ socketPath, folder, previous: owned.previous }, options);
  } catch (error) {
    // What is known of the server that was left must reach the next start.
    await (error instanceof FolderInUse ? owned.abandon() : owned.release());
    throw error;
  }
  const child = spawnServer(binary, folder, options);
  const gone = once(child, "exit").catch(() => undefined);
  let closing = false;
  try {
    child.once("exit", (code) => {
      if (!closing) options.died(code);
    });
    lost = () => {
      options.log.warn({ folder }, "Another process has taken the folder of the embedded redis-server; this one is ended.");
      child.kill("SIGTERM");
    };
    await owned.recordChild(identityOf(child, view));
    await untilReady(child, socketPath, clock);
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
    closing = true;
    child.kill("SIGTERM");
    await within(clock, orphanEndsWithinMs, gone).then(
      () => owned.release(),
      () => owned.abandon(),
    );
    throw error;
  }
}

async function claimFolder(folder: string, lost: () => void, { clock, random, view }: EmbeddedOptions): Promise<ClaimedPath> {
  const claim = await claimPath(join(folder, "owner.json"), { waitMs: 0, lost }, { clock, random, view });
  if (claim.kind === "held") return claim;
  const owner = claim.owner === undefined ? "another process" : `process ${claim.owner.pid} on ${claim.owner.host}`;
  throw new FolderInUse(
    `${folder} is in use by ${owner}. End it, set RUNBOOKD_DATA to another folder, or let both use one Redis with REDIS_URL.`,
  );
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

function identityOf({ pid }: ChildProcess, { self, startTimeOf }: ProcessView): PathOwner["child"] {
  if (pid === undefined) return undefined;
  return { pid, bootId: self.bootId, pidNamespace: self.pidNamespace, startTime: startTimeOf(pid) ?? "unknown" };
}

/** What a socket says when it is asked. `silent`: connections are accepted and nothing is answered, or it cannot be told that no server is there. */
export type SocketAnswer = "answers" | "silent" | "absent";

const serverNames: readonly string[] = ["redis-server", "valkey-server"];

/**
 * Two servers that append to one file destroy what they write. Servers that were left by a killed process are found by their record, by what they have
 * open in the folder and by their socket, and are ended so that they write what they have.
 */
async function endOrphans(
  { socketPath, folder, previous }: { readonly socketPath: string; readonly folder: string; readonly previous: PathOwner | undefined },
  { clock, view, log }: EmbeddedOptions,
): Promise<void> {
  const servers = processesIn(folder, view).filter(({ name }) => serverNames.includes(name));
  const recorded = previous?.child;
  const orphans: readonly ProcessIdentity[] = [
    ...servers,
    ...(recorded === undefined || servers.some(({ pid }) => pid === recorded.pid) ? [] : [recorded]),
  ];
  const living = () => orphans.filter((one) => livenessOf(one, view) === "alive").map(({ pid }) => pid);
  let answer = await askSocket(socketPath, "PING", clock);
  if (answer === "absent" && living().length === 0) return;
  log.warn(
    { folder, pids: living(), answer },
    "A redis-server that an earlier process left was found; it is ended before a new one starts.",
  );
  // The connection breaks when it has ended.
  if (answer === "answers") await askSocket(socketPath, "SHUTDOWN SAVE", clock);
  for (const pid of living()) endProcess(pid);
  const until = clock.monotonic() + orphanEndsWithinMs;
  for (;;) {
    const pids = living();
    answer = pids.length > 0 ? "silent" : await askSocket(socketPath, "PING", clock);
    if (answer === "absent") return;
    if (clock.monotonic() >= until) throw new FolderInUse(describeOrphan({ folder, socketPath, pids }));
    await clock.sleep(orphanPollMs);
  }
}

function describeOrphan({
  folder,
  socketPath,
  pids,
}: {
  readonly folder: string;
  readonly socketPath: string;
  readonly pids: readonly number[];
}): string {
  if (pids.length > 0)
    return `${folder} is in use by an earlier redis-server (process ${pids.join(", ")}), which does not end. End it, then start again.`;
  return (
    `${folder} is in use by a server that accepts connections on ${socketPath} and does not end or does not answer; its process cannot be seen from here. ` +
    `Find it (fuser ${socketPath}, also in other containers that have this folder), end it, then start again, or set RUNBOOKD_DATA to another folder.`
  );
}

/** SIGTERM: Redis writes what it has. One that has just ended needs none. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (errorField(error, "code") !== "ESRCH") throw error;
  }
}

/** These say that no server listens at a path. */
const absentCodes: readonly unknown[] = ["ENOENT", "ECONNREFUSED", "ENOTDIR", "ENOTSOCK"];

/** Sends one command to a unix socket. A connection that is accepted and closed without a word is `silent`. */
export async function askSocket(socketPath: string, command: string, clock: Pick<Clock, "sleep">): Promise<SocketAnswer> {
  const socket = connect(socketPath);
  const answer = new Promise<SocketAnswer>((resolve) => {
    socket.once("connect", () => socket.write(`${command}\r\n`));
    socket.once("data", () => resolve("answers"));
    socket.once("close", () => resolve("silent"));
    socket.on("error", (error) => resolve(absentCodes.includes(errorField(error, "code")) ? "absent" : "silent"));
  });
  try {
    return await within(clock, askWithinMs, answer);
  } catch {
    return "silent";
  } finally {
    socket.destroy();
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
