import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { findExecutable } from "../find-executable.ts";
import { connectRedis } from "./connection.ts";

/** Our own Redis: a child process on a private unix socket, with its data in our folder. */
export interface EmbeddedRedis {
  readonly socketPath: string;
  /** SIGTERM, so that Redis writes what it has; resolves when it is gone. */
  close(): Promise<void>;
}

/** What `redis-server` or `valkey-server` is found by. */
export interface EmbeddedOptions {
  /** Folder of ours; made with mode 0700. */
  readonly folder: string;
  /** Value of PATH. */
  readonly path: string;
  /** Further folders to look in, e.g. the project's own tools. */
  readonly places: readonly string[];
  readonly clock: Clock;
  /** Told when the child ends although nobody asked. */
  readonly died: (code: number | null) => void;
}

const readyWithinMs = 10_000;

/** Starts it and waits until it answers. Throws with what to install when there is no server, and with its own words when it does not start. */
export async function startEmbeddedRedis(options: EmbeddedOptions): Promise<EmbeddedRedis> {
  const binary = findExecutable(["redis-server", "valkey-server"], options.path, options.places);
  if (binary === undefined) {
    throw new Error(
      "No redis-server or valkey-server was found. Install one (Debian: apt-get install redis-server, macOS: brew install redis), or set REDIS_URL.",
    );
  }
  const folder = resolve(options.folder, "redis");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const socketPath = join(folder, "redis.sock");
  const child = spawn(
    binary,
    [
      ["--port", "0", "--unixsocket", socketPath, "--unixsocketperm", "700", "--dir", folder, "--daemonize", "no"],
      ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning"],
    ].flat(),
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = `${said}${String(chunk)}`.slice(-2000)));
  let closing = false;
  const gone = once(child, "exit");
  child.once("exit", (code) => {
    if (!closing) options.died(code);
  });
  await untilReady(child, socketPath, { said: () => said, clock: options.clock });
  return {
    socketPath,
    async close() {
      closing = true;
      child.kill("SIGTERM");
      await gone;
    },
  };
}

async function untilReady(
  child: ChildProcess,
  socketPath: string,
  { said, clock }: { readonly said: () => string; readonly clock: Clock },
): Promise<void> {
  const redis = connectRedis({ socketPath }, "worker");
  try {
    await Promise.race([
      redis.ping(),
      once(child, "exit").then(() => Promise.reject(new Error(`redis-server ended at once: ${said().trim()}`))),
      new Promise((_resolve, reject) =>
        clock.after(readyWithinMs, () => reject(new Error(`redis-server did not answer in time: ${said().trim()}`))),
      ),
    ]);
  } finally {
    redis.disconnect();
  }
}
