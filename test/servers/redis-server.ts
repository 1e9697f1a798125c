import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../demo/find-program.ts";
import { freePort } from "../../demo/free-ports.ts";
import { type Service, spawnService } from "./spawn-service.ts";

/** A real redis-server of a test's own. */
export interface RedisServer extends AsyncDisposable {
  readonly socketPath: string;
  /** `redis://127.0.0.1:<port>` of the same server. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** Ends it in order; the data stays. */
  stop(): Promise<void>;
  /** SIGSTOP: alive and silent, like a hung machine. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts it again on the same data, socket and port; `settings` are further command line arguments, e.g. `["--maxmemory", "1mb"]`. */
  restart(settings?: readonly string[]): Promise<void>;
}

/**
 * Starts redis-server on a private unix socket and a free loopback port, durable as the product demands
 * (`appendonly yes`, `appendfsync always`, `noeviction`). `settings` are further command line arguments; the last one wins. `env`: variables beside those of this process.
 */
export async function startRedisServer(settings: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const binary = findProgram("redis-server", "valkey-server");
  const folder = await mkdtemp(join(tmpdir(), "rb-redis-"));
  const socketPath = join(folder, "redis.sock");
  const port = await freePort();
  const start = (more: readonly string[]) =>
    spawnService(
      binary,
      [
        ["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socketPath, "--unixsocketperm", "700", "--dir", folder],
        ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction"],
        ["--daemonize", "no", "--loglevel", "warning", ...more],
      ].flat(),
      () => answersPing(socketPath),
      { env },
    );
  let service: Service = await start(settings);
  return {
    socketPath,
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    kill: () => service.stop("SIGKILL"),
    stop: () => service.stop(),
    pause: () => service.signal("SIGSTOP"),
    resume: () => service.signal("SIGCONT"),
    async restart(more = settings) {
      await service.stop();
      service = await start(more);
    },
    async [Symbol.asyncDispose]() {
      await service.stop("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answersPing(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1000, () => answer(false));
    socket.once("error", () => answer(false));
    socket.once("connect", () => socket.write("PING\r\n"));
    // While it loads its file it answers -LOADING.
    socket.once("data", (data) => answer(data.toString("utf8").startsWith("+PONG")));
    socket.once("close", () => resolve(false));
  });
}
