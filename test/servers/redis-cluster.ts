import { Redis } from "ioredis";
import { freePort } from "../../demo/free-ports.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";

/** A real cluster on loopback: three primaries that share the slots, and one replica of the ledger's owner. */
export interface ClusterSetup extends AsyncDisposable {
  /** REDIS_URL. */
  readonly url: string;
  readonly primaries: readonly RedisServer[];
  readonly replica: RedisServer;
  /** The primary that owns the slot. */
  ownerOf(slot: number): RedisServer;
}

const lastSlot = 16_383;
const shares = [
  [0, 5460],
  [5461, 10_922],
  [10_923, lastSlot],
] as const;

/** Starts it; resolves when every node knows all others and all slots are served. `replicaOf`: the slot whose owner gets the replica. */
export async function startRedisCluster(replicaOf: number): Promise<ClusterSetup> {
  const servers: RedisServer[] = [];
  const end = async () => {
    for (const server of servers.toReversed()) await server[Symbol.asyncDispose]();
  };
  try {
    for (let count = 0; count < 4; count += 1) {
      const bus = await freePort();
      servers.push(await startRedisServer(["--cluster-enabled", "yes", "--cluster-port", String(bus), "--cluster-node-timeout", "1000"]));
    }
    const [first, second, third, replica] = servers;
    if (first === undefined || second === undefined || third === undefined || replica === undefined)
      throw new Error("Four servers were started.");
    const primaries = [first, second, third];
    for (const [index, server] of primaries.entries()) {
      const [from, to] = shares[index] ?? [0, 0];
      await call(server, "CLUSTER", "ADDSLOTSRANGE", String(from), String(to));
    }
    for (const server of servers.slice(1)) {
      const bus = /cluster_bus_port|@(\d+)/.exec(await text(server, "CLUSTER", "NODES"))?.[1] ?? "";
      await call(first, "CLUSTER", "MEET", "127.0.0.1", String(server.port), bus);
    }
    await untilTrue(async () =>
      (await Promise.all(servers.map((one) => text(one, "CLUSTER", "INFO")))).every((info) => info.includes("cluster_known_nodes:4")),
    );
    const ownerOf = (slot: number) => primaries[shares.findIndex(([from, to]) => slot >= from && slot <= to)] ?? first;
    const ownerId = await text(ownerOf(replicaOf), "CLUSTER", "MYID");
    await untilTrue(async () => (await text(replica, "CLUSTER", "REPLICATE", ownerId)) === "OK");
    await untilTrue(async () =>
      (await Promise.all(servers.map((one) => text(one, "CLUSTER", "INFO")))).every((info) => info.includes("cluster_state:ok")),
    );
    await untilTrue(async () => (await text(replica, "INFO", "replication")).includes("master_link_status:up"));
    return {
      url: `redis+cluster://${primaries.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
      primaries,
      replica,
      ownerOf,
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function call(server: RedisServer, command: string, ...args: readonly string[]): Promise<unknown> {
  const client = new Redis({ path: server.socketPath });
  client.on("error", () => undefined);
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

async function text(server: RedisServer, command: string, ...args: readonly string[]): Promise<string> {
  return String(await call(server, command, ...args).catch((error: unknown) => error));
}

async function untilTrue(look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The cluster never came up.");
}
