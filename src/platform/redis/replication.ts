import type { Redis } from "ioredis";
import { primaryNode } from "./connection.ts";

/** How long a write may take to reach its replicas, in milliseconds. */
const confirmWithinMs = 300;

const markKey = "{rb}:confirmed";

/** Names one life of a connection; see {@link Replication.begin}. */
export type ConnectionLife = number;

/**
 * Says whether what this connection wrote is on the configured number of replicas, by WAIT on the connection that wrote.
 * A connection that broke in between proves nothing: WAIT of its successor knows nothing of the earlier writes, and may speak of another server.
 */
export interface Replication {
  /** Replicas that must have a write; 0 = replication is not asked about. */
  readonly replicas: number;
  /** To be taken before the write. */
  begin(): ConnectionLife;
  /** Whether everything that this connection wrote since `life` began is on enough replicas. Never rejects: what cannot be seen is `false`. */
  confirm(life: ConnectionLife): Promise<boolean>;
  /** The same for everything that this connection has read since `life` began, by any writer. */
  confirmRead(life: ConnectionLife): Promise<boolean>;
}

/** Watches a connection. Confirmations that are asked for in the same turn share one WAIT. */
export function createReplication(redis: Redis, replicas: number): Replication {
  if (replicas === 0) return { replicas, begin: () => 0, confirm: async () => true, confirmRead: async () => true };
  let closes = 0;
  redis.on("close", () => (closes += 1));
  // Of a cluster each node has a connection of its own; when any of them goes, the owner may be another one afterwards.
  redis.on("-node", () => (closes += 1));
  let shared: Promise<boolean> | undefined;

  const ask = async (): Promise<boolean> => {
    // Every caller of this turn has written already.
    await Promise.resolve();
    shared = undefined;
    const node = primaryNode(redis);
    if (node === undefined) return false;
    return node.wait(replicas, confirmWithinMs).then(
      (reached) => reached >= replicas,
      () => false,
    );
  };
  const confirm = async (life: ConnectionLife): Promise<boolean> => {
    if (closes !== life) return false;
    shared ??= ask();
    return (await shared) && closes === life;
  };
  return {
    replicas,
    begin: () => closes,
    confirm,
    async confirmRead(life) {
      // A write of our own stands behind everything that was there to be read.
      const marked = await redis.set(markKey, "1").then(
        () => true,
        () => false,
      );
      return marked && confirm(life);
    },
  };
}
