import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findProgram } from "../../demo/find-program.ts";
import { freePort } from "../../demo/free-ports.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";
import { type Service, spawnService } from "./spawn-service.ts";

/** A primary, a replica and three sentinels that watch them, all real and on loopback. */
export interface SentinelSetup extends AsyncDisposable {
  /** REDIS_URL. */
  readonly url: string;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Port of whom the sentinels call the primary now. */
  currentPort(): Promise<number>;
}

/** Name under which the primary is watched. */
const master = "runbookd";

/** Starts them; resolves when the sentinels know the replica, so that a failover is possible. `downAfterMs`: silence after which the primary counts as gone. `env`: variables of primary and replica. */
export async function startSentinels({
  downAfterMs = 500,
  env = {},
}: {
  readonly downAfterMs?: number;
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<SentinelSetup> {
  const primary = await startRedisServer(["--repl-diskless-sync-delay", "0"], env);
  const replica = await startRedisServer(["--replicaof", `127.0.0.1 ${primary.port}`, "--repl-diskless-sync-delay", "0"], env);
  const folder = await mkdtemp(join(tmpdir(), "rb-sentinel-"));
  const services: Service[] = [];
  const ports: number[] = [];
  const end = async () => {
    for (const service of services) await service.stop("SIGKILL");
    await replica[Symbol.asyncDispose]();
    await primary[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const index of [0, 1, 2]) {
      const port = await freePort();
      const file = join(folder, `${index}.conf`);
      const settings = [
        `port ${port}`,
        "bind 127.0.0.1",
        `dir ${folder}`,
        `sentinel monitor ${master} 127.0.0.1 ${primary.port} 2`,
        `sentinel down-after-milliseconds ${master} ${downAfterMs}`,
        `sentinel failover-timeout ${master} 3000`,
      ];
      await writeFile(file, `${settings.join("\n")}\n`);
      services.push(await spawnService(findProgram("redis-server", "valkey-server"), [file, "--sentinel"], () => answers(port)));
      ports.push(port);
    }
    await untilKnown(ports);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${master}`,
    primary,
    replica,
    currentPort: async () => Number((await ask(ports[0] ?? 0, "get-master-addr-by-name"))[1]),
    [Symbol.asyncDispose]: end,
  };
}

async function ask(port: number, question: string): Promise<readonly string[]> {
  const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const reply: unknown = await client.call("SENTINEL", question, master);
    return Array.isArray(reply) ? reply.map((item: unknown) => (Array.isArray(item) ? item.join(" ") : String(item))) : [];
  } finally {
    client.disconnect();
  }
}

async function answers(port: number): Promise<boolean> {
  return ask(port, "get-master-addr-by-name").then(
    (reply) => reply.length === 2,
    () => false,
  );
}

/** Every sentinel knows the replica and the two others. */
async function untilKnown(ports: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const known = await Promise.all(
      ports.map(async (port) => [(await ask(port, "replicas")).length, (await ask(port, "sentinels")).length] as const),
    );
    if (known.every(([replicas, sentinels]) => replicas === 1 && sentinels === 2)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The sentinels never came to know each other.");
}
