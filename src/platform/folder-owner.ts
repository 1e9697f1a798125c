import { link, mkdir, readFile, rename, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { errorField } from "../core/error-field.ts";
import type { RandomSource } from "../core/random.ts";
import { type Liveness, livenessOf, type ProcessView } from "./process-identity.ts";

const identitySchema = z.strictObject({ pid: z.number(), bootId: z.string(), pidNamespace: z.string(), startTime: z.string() });

const recordSchema = z.strictObject({
  ...identitySchema.shape,
  host: z.string(),
  /** Names one ownership. */
  nonce: z.string(),
  /** The process that the owner runs in the folder. */
  child: identitySchema.optional(),
});

/** Who owns a folder, as its lock file says. */
export type FolderOwner = z.output<typeof recordSchema>;

/** The folder belongs to another process that lives, or may live. */
export class FolderInUse extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FolderInUse";
  }
}

/** An owned folder. */
export interface OwnedFolder {
  /** What the lock file said of an owner before, which is dead. Its child may live. */
  readonly previous: FolderOwner | undefined;
  /** Records the process that works in the folder. */
  recordChild(child: FolderOwner["child"]): Promise<void>;
  /** Removes the lock, unless another process has taken it. */
  release(): Promise<void>;
}

/** What claiming a folder needs. */
export interface FolderClaim {
  /** Made when it is absent. */
  readonly folder: string;
  readonly host: string;
  readonly view: ProcessView;
  readonly clock: Pick<Clock, "now" | "sleep" | "every">;
  readonly random: Pick<RandomSource, "uuid">;
  /** Called when another process has taken the folder from this one. */
  readonly lost: () => void;
}

/** An owner renews its lock this often, in milliseconds. */
const renewEveryMs = 2000;
/** An owner that cannot be seen counts as dead when its lock is older than this. */
const staleAfterMs = 15_000;
const retryEveryMs = 500;

/** What a lock means. `wait`: its owner cannot be seen, and it is not old enough. */
export type OwnerDecision = "take" | "held" | "wait";

/** Whether a folder may be taken. `ageMs`: since its lock was last renewed. */
export function decideOwner(liveness: Liveness, ageMs: number): OwnerDecision {
  switch (liveness) {
    case "alive":
      return "held";
    case "dead":
      return "take";
    case "unseen":
      // A negative age is a clock that was set back; its owner gets the time that a fresh lock has.
      return ageMs > staleAfterMs ? "take" : "wait";
  }
}

/**
 * Makes this process the one owner of a folder, by a lock file with pid, boot id, PID namespace and a nonce. An owner of another PID namespace or machine
 * is waited for until its lock is 15 s old. Throws FolderInUse when the owner lives, or renews its lock.
 */
export async function claimFolder(claim: FolderClaim): Promise<OwnedFolder> {
  const { folder, host, view, clock, random, lost } = claim;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "owner.json");
  const nonce = random.uuid();
  const ours: FolderOwner = { ...view.self, host, nonce };
  const temporary = `${path}.${nonce}`;
  await writeFile(temporary, JSON.stringify(ours), { mode: 0o600 });
  let previous: FolderOwner | undefined;
  try {
    let firstRenewal: number | undefined;
    let waitedMs = 0;
    while (!(await isCreated(temporary, path))) {
      const lock = await readLock(path);
      if (lock === undefined) continue;
      firstRenewal ??= lock.renewedAt;
      const liveness = lock.owner === undefined ? "unseen" : livenessOf(lock.owner, view);
      const decision = decideOwner(liveness, clock.now() - lock.renewedAt);
      if (decision === "held" || lock.renewedAt !== firstRenewal || waitedMs > 2 * staleAfterMs)
        throw new FolderInUse(heldBy(folder, lock.owner));
      if (decision === "take") {
        previous = lock.owner;
        await removeStale(path, lock.owner?.nonce, clock.now());
      } else {
        await clock.sleep(retryEveryMs);
        waitedMs += retryEveryMs;
      }
    }
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
  const isOurs = async (): Promise<boolean> => (await readLock(path))?.owner?.nonce === nonce;
  const renew = async (): Promise<void> => {
    if (await isOurs()) return utimes(path, clock.now() / 1000, clock.now() / 1000);
    renewing.stop();
    lost();
  };
  const renewing = clock.every(renewEveryMs, () => void renew().catch(() => undefined));
  return {
    previous,
    async recordChild(child) {
      await writeFile(temporary, JSON.stringify({ ...ours, child }), { mode: 0o600 });
      await rename(temporary, path);
    },
    async release() {
      renewing.stop();
      if (await isOurs()) await unlink(path).catch(() => undefined);
    },
  };
}

function heldBy(folder: string, owner: FolderOwner | undefined): string {
  const who = owner === undefined ? "another process" : `process ${owner.pid} on ${owner.host}`;
  return `${folder} is in use by ${who}. End it, set RUNBOOKD_DATA to another folder, or let both use one Redis with REDIS_URL.`;
}

/** A link is made whole or not at all, also on a network's file system. */
async function isCreated(from: string, path: string): Promise<boolean> {
  try {
    await link(from, path);
    return true;
  } catch (error) {
    if (errorField(error, "code") === "EEXIST") return false;
    throw error;
  }
}

/** Undefined: there is none. An owner that cannot be read is undefined, too. */
async function readLock(path: string): Promise<{ readonly owner: FolderOwner | undefined; readonly renewedAt: number } | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    return { owner: parseOwner(await readFile(path, "utf8")), renewedAt: mtimeMs };
  } catch (error) {
    if (errorField(error, "code") === "ENOENT") return undefined;
    throw error;
  }
}

function parseOwner(text: string): FolderOwner | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Removes a lock that was judged stale. A guard lets one process at a time look again before it removes: without it the second of two that judged at
 * once would remove what the first has just taken. A guard whose process died is removed when it is as old as a stale lock.
 */
async function removeStale(path: string, staleNonce: string | undefined, now: number): Promise<void> {
  const guard = `${path}.removing`;
  try {
    await writeFile(guard, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (errorField(error, "code") !== "EEXIST") throw error;
    const present = await stat(guard).catch(() => undefined);
    if (present !== undefined && now - present.mtimeMs > staleAfterMs) await unlink(guard).catch(() => undefined);
    return;
  }
  try {
    if ((await readLock(path))?.owner?.nonce === staleNonce) await unlink(path).catch(() => undefined);
  } finally {
    await unlink(guard).catch(() => undefined);
  }
}
