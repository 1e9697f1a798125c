import type { Redis } from "ioredis";
import { z } from "zod";
import { livenessOf, type ProcessView } from "../platform/process-identity.ts";
import { runScripts } from "./redis-scripts.ts";

const slots = 64;

/** How long a name stays with a process that no longer renews it, in milliseconds. Longer than the lease of a run. */
export const slotLeaseMs = 15_000;

/** The process that takes a name. */
export interface WorkerProcess {
  readonly host: string;
  readonly view: ProcessView;
  /** Names this life of the process. */
  readonly nonce: string;
}

/** A name that this process has. */
export interface WorkerSlot {
  /** `<host>/<n>`; no other process has it while the lease is renewed. */
  readonly name: string;
  /** Whether the process that had the name before is proven to be dead, so that the leases of its runs may be taken back at once. */
  readonly isPredecessorDead: boolean;
  /** To be called well within {@link slotLeaseMs}. False: another process has the name now. Rejects when Redis does not answer. */
  renew(): Promise<boolean>;
  /** Frees the name, unless another process has it. */
  free(): Promise<void>;
}

const holderSchema = z.strictObject({
  pid: z.number(),
  bootId: z.string(),
  pidNamespace: z.string(),
  startTime: z.string(),
  nonce: z.string(),
});

/**
 * Takes the first name of this host that no process holds: one whose lease is over, or whose holder is proven to be dead by pid, start time, boot id
 * and PID namespace. A holder that cannot be seen (another container under the same host name) keeps its name as long as it renews the lease.
 * Throws when every name is taken.
 */
export async function takeWorkerSlot(redis: Redis, { host, view, nonce }: WorkerProcess): Promise<WorkerSlot> {
  const holder = JSON.stringify({ ...view.self, nonce });
  for (let slot = 0; slot < slots; slot += 1) {
    const key = `{rb}:worker-slot:${host}:${slot}`;
    const change = async (expected: string, leaseMs: number): Promise<boolean> =>
      (await runScripts.workerSlot.run(redis, { keys: { slot: key }, args: { expected, holder, leaseMs } })) === 1;
    const slotOf = (isPredecessorDead: boolean): WorkerSlot => ({
      name: `${host}/${slot}`,
      isPredecessorDead,
      renew: async () => change(holder, slotLeaseMs),
      free: async () => void (await change(holder, 0)),
    });
    if ((await redis.set(key, holder, "PX", slotLeaseMs, "NX")) === "OK") return slotOf(false);
    const current = await redis.get(key);
    // Two successors may meet at one dead holder: the one that replaces what it read wins.
    // Expiry follows the wall clock of Redis; when that was set back, a lease may have become longer than any can be.
    if (current !== null && (await redis.pttl(key)) > slotLeaseMs && (await change(current, slotLeaseMs))) return slotOf(false);
    if (current !== null && isDead(current, view) && (await change(current, slotLeaseMs))) return slotOf(true);
  }
  throw new Error(`All ${slots} worker names of ${host} are taken.`);
}

function isDead(text: string, view: ProcessView): boolean {
  try {
    return livenessOf(holderSchema.parse(JSON.parse(text)), view) === "dead";
  } catch {
    // Not a holder that this version writes: its lease, or its absence, decides.
    return false;
  }
}
