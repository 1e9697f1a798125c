import type { Redis } from "ioredis";

const slots = 64;

/** The process that takes a name. */
export interface WorkerProcess {
  readonly host: string;
  readonly pid: number;
  /** Asks whether a process of this machine lives. */
  readonly isAlive: (pid: number) => boolean;
}

/**
 * A stable name for a worker: the first slot of this host that no living process holds. A process that starts again after a crash gets its
 * predecessor's name, and may take back the leases that the name holds. Throws when every slot is taken.
 */
export async function takeWorkerName(redis: Redis, { host, pid, isAlive }: WorkerProcess): Promise<string> {
  for (let slot = 0; slot < slots; slot += 1) {
    const key = `{rb}:worker-slot:${host}:${slot}`;
    if ((await redis.set(key, String(pid), "NX")) === "OK") return `${host}/${slot}`;
    const holder = Number(await redis.get(key));
    if (holder !== pid && isAlive(holder)) continue;
    // Two successors may meet at one dead holder: the one whose exchange found the dead wins.
    if ((await redis.getset(key, String(pid))) === String(holder)) return `${host}/${slot}`;
  }
  throw new Error(`All ${slots} worker names of ${host} are taken.`);
}

/** Frees the name at an orderly end. */
export async function freeWorkerName(redis: Redis, name: string): Promise<void> {
  const at = name.lastIndexOf("/");
  await redis.del(`{rb}:worker-slot:${name.slice(0, at)}:${name.slice(at + 1)}`);
}

/** Whether a process of this machine lives; one that belongs to somebody else does. */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
