import { type FileHandle, mkdir, open, readFile, readlink, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { RandomSource } from "../core/random.ts";

const ownerSchema = z.object({
  /** Of this one time that the lock was taken. */
  nonce: z.string(),
  pid: z.number().int().positive(),
  /** What of the machine the pid belongs to; absent where the system does not say. */
  bootId: z.string().optional(),
  pidNamespace: z.string().optional(),
  /** When the process began, in the kernel's ticks: a pid is used again. */
  startedAt: z.string().optional(),
});

/** Who holds a lock file. */
export type LockOwner = z.output<typeof ownerSchema>;

/** What a process knows of another one. */
export interface ProcessFacts {
  /** Whether there is a process of this pid. */
  readonly exists: boolean;
  readonly startedAt?: string | undefined;
}

/** What a lock works with. */
export interface LockFileDeps {
  readonly clock: Pick<Clock, "now" | "sleep" | "monotonic" | "every">;
  readonly random: Pick<RandomSource, "uuid" | "fraction">;
}

/** How a lock is taken. All lengths in milliseconds. */
export interface TakeLock {
  /** How long to wait for an owner that is alive; 0 asks once. */
  readonly waitMs: number;
  /** A lock whose owner cannot be looked at (in another PID namespace, on another machine, before a restart) is over when it was not renewed for so long. */
  readonly staleMs?: number;
}

/** A lock in hand. It is renewed until it is released. */
export interface HeldLock {
  readonly kind: "held";
  readonly nonce: string;
  /** False when another process has taken it, because this one did not renew it for too long. */
  isHeld(): Promise<boolean>;
  /** Gives it back, unless another process has taken it; may be called twice. */
  release(): Promise<void>;
}

/** The lock, or who has it. */
export type LockAttempt = HeldLock | { readonly kind: "taken"; readonly owner: LockOwner | undefined };

const defaultStaleMs = 10_000;
const retryMs = 20;

/**
 * Takes the lock file at `path`. Its owner is judged by what the kernel knows of its process where that can be known, and by the age of the lock otherwise:
 * by this process's own monotonic clock, so that no clock needs to be right. Rejects when the file cannot be written.
 */
export async function takeLockFile(path: string, { waitMs, staleMs = defaultStaleMs }: TakeLock, deps: LockFileDeps): Promise<LockAttempt> {
  const { clock, random } = deps;
  const self: LockOwner = { nonce: random.uuid(), ...(await describeSelf()) };
  const until = clock.monotonic() + waitMs;
  const ages = { lock: createAgeWatch(clock), guard: createAgeWatch(clock) };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (;;) {
    const handle = await createExclusively(path, JSON.stringify(self));
    if (handle !== undefined) return hold({ path, handle, nonce: self.nonce, staleMs }, deps);
    const present = await readLock(path);
    if (present === undefined) continue;
    const age = ages.lock(present.stamp);
    const facts = present.owner && (await factsOf(present.owner.pid));
    if (
      isOver({ owner: present.owner, facts, self, age, staleMs }) &&
      (await removeStale(path, present, (guard) => ages.guard(guard) >= staleMs))
    )
      continue;
    if (clock.monotonic() >= until) return { kind: "taken", owner: present.owner };
    await clock.sleep(retryMs * (0.5 + random.fraction()));
  }
}

/**
 * Does `work` with the lock in hand. Rejects with an Error that names the owner when the lock is taken for longer than `waitMs`; `what` is what it protects.
 * `work` is told how to ask whether the lock is still held, which it does before its last write.
 */
export async function withLockFile<Value>(
  { path, what, ...take }: TakeLock & { readonly path: string; readonly what: string },
  deps: LockFileDeps,
  work: (lock: HeldLock) => Promise<Value>,
): Promise<Value> {
  const lock = await takeLockFile(path, take, deps);
  if (lock.kind === "taken") {
    const owner = lock.owner === undefined ? "another process" : `process ${lock.owner.pid}`;
    throw new Error(`${what} is being changed by ${owner} (${path}); nothing was changed, try again.`);
  }
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

/** Whether the owner of a lock is gone. `age`: how long the lock was not renewed, as far as the observer has seen. */
export function isOver({ owner, facts, self, age, staleMs }: StaleFacts): boolean {
  const isNear =
    owner?.bootId !== undefined &&
    owner.pidNamespace !== undefined &&
    owner.bootId === self.bootId &&
    owner.pidNamespace === self.pidNamespace;
  if (!isNear || facts === undefined) return age >= staleMs;
  if (!facts.exists) return true;
  return facts.startedAt !== undefined && owner.startedAt !== undefined && facts.startedAt !== owner.startedAt;
}

/** What a lock is judged by. */
export interface StaleFacts {
  /** Undefined when the file does not name one. */
  readonly owner: LockOwner | undefined;
  /** Of the process that has the owner's pid here. */
  readonly facts: ProcessFacts | undefined;
  readonly self: Pick<LockOwner, "bootId" | "pidNamespace">;
  readonly age: number;
  readonly staleMs: number;
}

interface LockState {
  readonly owner: LockOwner | undefined;
  /** Changes when the lock is renewed or taken by another. */
  readonly stamp: string;
}

function hold(
  {
    path,
    handle,
    nonce,
    staleMs,
  }: { readonly path: string; readonly handle: FileHandle; readonly nonce: string; readonly staleMs: number },
  { clock }: LockFileDeps,
): HeldLock {
  // The handle is of our own file: another process's lock at the same path is not renewed by it.
  const renewing = clock.every(Math.max(1, Math.floor(staleMs / 4)), () => {
    const seconds = clock.now() / 1000;
    handle.utimes(seconds, seconds).catch(() => undefined);
  });
  let released: Promise<void> | undefined;
  const isHeld = async () => (await readLock(path))?.owner?.nonce === nonce;
  const release = async () => {
    renewing.stop();
    try {
      if (await isHeld()) await remove(path);
    } finally {
      await handle.close();
    }
  };
  return { kind: "held", nonce, isHeld, release: async () => (released ??= release()) };
}

/** How long a stamp has been seen unchanged, in milliseconds. */
function createAgeWatch(clock: Pick<Clock, "monotonic">): (stamp: string) => number {
  let watched = { stamp: "", since: 0 };
  return (stamp) => {
    if (stamp !== watched.stamp) watched = { stamp, since: clock.monotonic() };
    return clock.monotonic() - watched.since;
  };
}

/**
 * Removes a lock that is over. Two processes may have judged it at once: a guard lets one of them look again before it removes, so that none removes what
 * the other has just taken. False: another process is about it. A guard whose process died is removed when it is as old as a stale lock.
 */
async function removeStale(path: string, stale: LockState, isGuardStale: (stamp: string) => boolean): Promise<boolean> {
  const guard = `${path}.removing`;
  const handle = await createExclusively(guard, "");
  if (handle === undefined) {
    const present = await readLock(guard);
    if (present !== undefined && isGuardStale(present.stamp)) await remove(guard);
    return false;
  }
  try {
    if ((await readLock(path))?.stamp === stale.stamp) await remove(path);
    return true;
  } finally {
    await handle.close();
    await remove(guard);
  }
}

/** Undefined: there is one already. */
async function createExclusively(path: string, text: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return undefined;
    throw error;
  }
  try {
    await handle.writeFile(text);
    return handle;
  } catch (error) {
    await handle.close();
    await remove(path);
    throw error;
  }
}

/** Undefined: there is none. */
async function readLock(path: string): Promise<LockState | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { ino, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
    const text = await handle.readFile("utf8");
    return { owner: parseOwner(text), stamp: `${ino}:${mtimeNs}:${ctimeNs}:${text}` };
  } finally {
    await handle.close();
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
}

/** How this process is named in a lock, but for the nonce. */
export async function describeSelf(): Promise<Omit<LockOwner, "nonce">> {
  const [bootId, pidNamespace, { startedAt }] = await Promise.all([
    readOrNothing(async () => (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim()),
    readOrNothing(async () => readlink("/proc/self/ns/pid")),
    factsOf(process.pid),
  ]);
  return {
    pid: process.pid,
    ...(bootId !== undefined && { bootId }),
    ...(pidNamespace !== undefined && { pidNamespace }),
    ...(startedAt !== undefined && { startedAt }),
  };
}

/** What the kernel knows of a process in this PID namespace. */
export async function factsOf(pid: number): Promise<ProcessFacts> {
  const stat = await readOrNothing(async () => readFile(`/proc/${pid}/stat`, "utf8"));
  if (stat === undefined) return { exists: doesExist(pid) };
  // The name in brackets may hold anything, brackets too; the 20th field behind it is the start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie holds nothing any more.
  return { exists: fields[0] !== "Z" && fields[0] !== "X", startedAt: fields[19] };
}

function doesExist(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

async function readOrNothing(read: () => Promise<string>): Promise<string | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

/** Not instanceof: a test runner gives errors of the file system a class of its own. */
function codeOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : undefined;
}
