import { link, mkdir, open, readdir, rename, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { errorField } from "../core/error-field.ts";
import { sha256 } from "../core/json.ts";
import type { RandomSource } from "../core/random.ts";
import { createProcessView, type Liveness, livenessOf, type ProcessView } from "./process-identity.ts";

const identitySchema = z.object({ pid: z.int().positive(), bootId: z.string(), pidNamespace: z.string(), startTime: z.string() });

const ownerSchema = z.object({
  ...identitySchema.shape,
  /** Told to people; nothing is decided by it. */
  host: z.string(),
  /** Names this one ownership; it is part of file names. */
  nonce: z.string().regex(/^[\w-]{1,64}$/),
  /** A process that the owner runs there. It may outlive its owner. */
  child: identitySchema.optional(),
});

/** Who owns a path, as its owner file says. */
export type PathOwner = z.output<typeof ownerSchema>;

/** What a claim works with. */
export interface ClaimDeps {
  readonly clock: Pick<Clock, "now" | "sleep" | "monotonic" | "every">;
  readonly random: Pick<RandomSource, "uuid" | "fraction">;
  /** How other processes are seen; by /proc unless given. */
  readonly view?: ProcessView;
}

/** How a path is claimed. All lengths in milliseconds. */
export interface ClaimOptions {
  /** How long to wait for an owner that lives, or that renews its claim; 0 asks once. */
  readonly waitMs: number;
  /**
   * A claim whose owner cannot be seen (in another PID namespace, on another machine, before a restart) is stale when it was not renewed for this long.
   * Such a claim is waited for whatever `waitMs` is. 10 s unless said.
   */
  readonly staleMs?: number;
  /** Called once when another process has taken the path from this one. */
  readonly lost?: () => void;
}

/** A path that this process owns. The claim is renewed until it is released. */
export interface ClaimedPath {
  readonly kind: "held";
  readonly nonce: string;
  /** The owner before, from which the path was taken because it is dead or its claim was stale. Its child may live. */
  readonly previous: PathOwner | undefined;
  /** False when another process has taken it, because this one did not renew it for too long. */
  isHeld(): Promise<boolean>;
  /** Records the process that works there. Rejects when the path is no longer held. */
  recordChild(child: PathOwner["child"]): Promise<void>;
  /** Gives it back, unless another process has taken it; may be called twice. */
  release(): Promise<void>;
  /** Stops renewing and leaves the owner file, so that the next owner learns of the child. */
  abandon(): Promise<void>;
}

/** The path, or who owns it. */
export type PathClaim = ClaimedPath | { readonly kind: "taken"; readonly owner: PathOwner | undefined };

/** What an owner file means for a claim. `wait`: its owner cannot be seen, and the file is not old enough. */
export type OwnerDecision = "take" | "held" | "wait";

const defaultStaleMs = 10_000;
const retryMs = 20;

/** Whether a path may be taken from its owner. `ageMs`: how long this process has seen the claim not renewed, by its own monotonic clock. */
export function decideOwner(liveness: Liveness, ageMs: number, staleMs: number): OwnerDecision {
  switch (liveness) {
    case "alive":
      return "held";
    case "dead":
      return "take";
    case "unseen":
      return ageMs >= staleMs ? "take" : "wait";
  }
}

/**
 * Makes this process the one owner of `path` by a file there that names it: pid, boot, PID namespace, start time and a nonce. An owner that is dead is
 * succeeded at once, one that cannot be seen when its claim was not renewed for `staleMs`. Rejects when the file cannot be written.
 */
export async function claimPath(path: string, options: ClaimOptions, deps: ClaimDeps): Promise<PathClaim> {
  const { waitMs, staleMs = defaultStaleMs } = options;
  const { clock, random, view = createProcessView() } = deps;
  const ours: PathOwner = { ...view.self, host: hostname(), nonce: random.uuid() };
  const files = createOwnerFiles(path, { ours, view, ageOf: createAgeWatch(clock), staleMs });
  const begunAt = clock.monotonic();
  const firstStamps = new Map<string, string>();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (;;) {
    const present = await readOwnerFile(path);
    if (present === undefined) {
      if (await files.create(path, ours)) return hold({ path, files, ours, previous: undefined }, options, deps);
      continue;
    }
    // A network's file system may have made the file and lost the answer.
    if (present.owner?.nonce === ours.nonce) return hold({ path, files, ours, previous: undefined }, options, deps);
    const decision = files.judge(present);
    if (decision === "take") {
      const record = present.owner?.child === undefined ? ours : { ...ours, child: present.owner.child };
      if (await files.succeed(present, record)) return hold({ path, files, ours: record, previous: present.owner }, options, deps);
    }
    const key = keyOf(present);
    if (!firstStamps.has(key)) firstStamps.set(key, present.stamp);
    const isRenewed = firstStamps.get(key) !== present.stamp;
    const waitedMs = clock.monotonic() - begunAt;
    const isWorthWaiting = decision !== "held" && !isRenewed && waitedMs < 3 * staleMs;
    if (waitedMs >= waitMs && !isWorthWaiting) return { kind: "taken", owner: present.owner };
    await clock.sleep(retryMs * (0.5 + random.fraction()));
  }
}

/**
 * Does `work` while this process owns `path`. Rejects with an Error that names the owner when it is taken for longer than `waitMs`; `what` is what it
 * protects. `work` is told how to ask whether the path is still held, which it does before its last write.
 */
export async function withClaimedPath<Value>(
  { path, what, ...options }: ClaimOptions & { readonly path: string; readonly what: string },
  deps: ClaimDeps,
  work: (claim: ClaimedPath) => Promise<Value>,
): Promise<Value> {
  const claim = await claimPath(path, options, deps);
  if (claim.kind === "taken") {
    const owner = claim.owner === undefined ? "another process" : `process ${claim.owner.pid} on ${claim.owner.host}`;
    throw new Error(`${what} is being changed by ${owner} (${path}); nothing was changed, try again.`);
  }
  try {
    return await work(claim);
  } finally {
    await claim.release();
  }
}

interface OwnerFile {
  /** Undefined when the file does not name one. */
  readonly owner: PathOwner | undefined;
  /** Changes when the claim is renewed, or the file replaced. */
  readonly stamp: string;
}

/** The files by which a path is owned and by which its owner is succeeded. */
interface OwnerFiles {
  /** Makes a file of this record whole, or not at all. False: there is one already. */
  create(at: string, record: PathOwner): Promise<boolean>;
  /** Replaces the owner file in one step. */
  replace(record: PathOwner): Promise<void>;
  judge(file: OwnerFile): OwnerDecision;
  /** Takes the path from an owner that was judged stale. False: another process is about it, or the owner file changed. */
  succeed(stale: OwnerFile, record: PathOwner): Promise<boolean>;
  /** Does `work` while no process may succeed the owner of this nonce. Undefined: one is about it. */
  beforeSuccessors<Value>(nonce: string, work: () => Promise<Value>): Promise<Value | undefined>;
}

/** What judging and writing owner files needs. */
interface OwnerFilesOptions {
  readonly ours: PathOwner;
  readonly view: ProcessView;
  readonly ageOf: (file: string, stamp: string) => number;
  readonly staleMs: number;
}

/**
 * Every removal and replacement of an owner file is made by the one process that made the file `<path>.<nonce of the owner>.next`. A nonce never comes
 * again, so the right to succeed an owner is given once. When the process that has this right dies, the right to succeed that process is what
 * counts, and so on: no such file is ever made a second time for the same owner while the owner file names it.
 */
function createOwnerFiles(path: string, { ours, view, ageOf, staleMs }: OwnerFilesOptions): OwnerFiles {
  let writes = 0;
  const nextOf = (key: string) => `${path}.${key}.next`;
  const judgeAt = (at: string, { owner, stamp }: OwnerFile) =>
    decideOwner(owner === undefined ? "unseen" : livenessOf(owner, view), ageOf(at, stamp), staleMs);

  async function written(record: PathOwner): Promise<string> {
    const temporary = `${path}.${ours.nonce}.${(writes += 1)}.new`;
    await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
    return temporary;
  }

  async function create(at: string, record: PathOwner): Promise<boolean> {
    const temporary = await written(record);
    try {
      await link(temporary, at);
      return true;
    } catch (error) {
      const code = errorField(error, "code");
      if (code === "EEXIST") return false;
      if (!withoutLinks.has(String(code))) throw error;
      return await createWithoutLink(at, record);
    } finally {
      await remove(temporary);
    }
  }

  const replace = async (record: PathOwner) => rename(await written(record), path);

  /** The files that lead from an owner to this process, ours last; undefined: another process may succeed it. */
  async function takeRight(key: string): Promise<readonly string[] | undefined> {
    const at = nextOf(key);
    if (await create(at, ours)) return [at];
    const present = await readOwnerFile(at);
    if (present === undefined || judgeAt(at, present) !== "take") return undefined;
    const further = await takeRight(keyOf(present));
    return further === undefined ? undefined : [at, ...further];
  }

  return {
    create,
    replace,
    judge: (file) => judgeAt(path, file),
    async succeed(stale, record) {
      const right = await takeRight(keyOf(stale));
      if (right === undefined) return false;
      let isOurs = false;
      try {
        if ((await readOwnerFile(path))?.stamp === stale.stamp) {
          await replace(record);
          isOurs = true;
        }
      } finally {
        // While the owner file is unchanged a dead process's right stays where it is: it leads to ours.
        for (const at of isOurs ? right : right.slice(-1)) await remove(at);
      }
      if (isOurs) await sweep(path, { ours, view });
      return isOurs;
    },
    async beforeSuccessors(nonce, work) {
      const at = nextOf(nonce);
      if (!(await create(at, ours))) return undefined;
      try {
        return await work();
      } finally {
        await remove(at);
      }
    },
  };
}

interface Holding {
  readonly path: string;
  readonly files: OwnerFiles;
  /** The record in the owner file. */
  readonly ours: PathOwner;
  readonly previous: PathOwner | undefined;
}

function hold(
  { path, files, ours, previous }: Holding,
  { staleMs = defaultStaleMs, lost = () => undefined }: ClaimOptions,
  { clock, random }: ClaimDeps,
): ClaimedPath {
  let record = ours;
  let isOver = false;
  const isHeld = async () => (await readOwnerFile(path))?.owner?.nonce === ours.nonce;

  async function renew(): Promise<void> {
    const state = await touch(path, { nonce: ours.nonce, seconds: clock.now() / 1000 });
    if (isOver || state === "ours") return;
    // A file that was removed is made again, unless another process came first.
    if (state === "absent" && (await files.create(path, record))) return;
    if (await isHeld()) return;
    isOver = true;
    renewing.stop();
    lost();
  }
  let pending: Promise<void> = Promise.resolve();
  const renewing = clock.every(Math.max(1, Math.floor(staleMs / 4)), () => void (pending = renew().catch(() => undefined)));

  async function stop(): Promise<void> {
    isOver = true;
    renewing.stop();
    await pending;
  }

  async function giveBack(): Promise<void> {
    await stop();
    const until = clock.monotonic() + staleMs;
    while (await isHeld()) {
      const isGiven = await files.beforeSuccessors(ours.nonce, async () => {
        if (await isHeld()) await remove(path);
        return true;
      });
      if (isGiven === true || clock.monotonic() >= until) return;
      await clock.sleep(retryMs * (0.5 + random.fraction()));
    }
  }

  let ended: Promise<void> | undefined;
  return {
    kind: "held",
    nonce: ours.nonce,
    previous,
    isHeld,
    async recordChild(child) {
      const next: PathOwner = child === undefined ? ours : { ...ours, child };
      const isRecorded = await files.beforeSuccessors(ours.nonce, async () => {
        if (!(await isHeld())) return false;
        await files.replace(next);
        record = next;
        return true;
      });
      if (isRecorded !== true) throw new Error(`${path} was taken by another process.`);
    },
    release: async () => (ended ??= giveBack()),
    abandon: async () => (ended ??= stop()),
  };
}

/** File systems that have no hard links say so in different ways. */
const withoutLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Without hard links a process that dies here leaves half a file, which counts as an owner that cannot be seen. */
async function createWithoutLink(at: string, record: PathOwner): Promise<boolean> {
  try {
    await writeFile(at, JSON.stringify(record), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (errorField(error, "code") === "EEXIST") return false;
    await remove(at);
    throw error;
  }
}

/** How long, in milliseconds, each file's stamp has been seen unchanged. */
function createAgeWatch(clock: Pick<Clock, "monotonic">): (file: string, stamp: string) => number {
  const watched = new Map<string, { readonly stamp: string; readonly since: number }>();
  return (file, stamp) => {
    const last = watched.get(file);
    if (last?.stamp === stamp) return clock.monotonic() - last.since;
    watched.set(file, { stamp, since: clock.monotonic() });
    return 0;
  };
}

/** What names this one content of an owner file: its nonce, or a hash where it has none. */
function keyOf({ owner, stamp }: OwnerFile): string {
  return owner?.nonce ?? sha256(stamp).slice(0, 32);
}

/** Removes what processes that are proven to be dead left beside the owner file. */
async function sweep(path: string, { ours, view }: { readonly ours: PathOwner; readonly view: ProcessView }): Promise<void> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names) {
    const isLeft = name.startsWith(prefix) && /\.(?:new|next)$/.test(name) && !name.startsWith(`${prefix}${ours.nonce}.`);
    const at = join(dirname(path), name);
    const owner = isLeft ? (await readOwnerFile(at).catch(() => undefined))?.owner : undefined;
    if (owner !== undefined && livenessOf(owner, view) === "dead") await remove(at);
  }
}

/** Renews the owner file when it is ours: by its handle, so that another process's file is never renewed. */
async function touch(
  path: string,
  { nonce, seconds }: { readonly nonce: string; readonly seconds: number },
): Promise<"ours" | "absent" | "another"> {
  const handle = await openIfThere(path);
  if (handle === undefined) return "absent";
  try {
    if (parseOwner(await handle.readFile("utf8"))?.nonce !== nonce) return "another";
    await handle.utimes(seconds, seconds);
    return "ours";
  } finally {
    await handle.close();
  }
}

/** Undefined: there is none. */
async function readOwnerFile(path: string): Promise<OwnerFile | undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    const { ino, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
    const text = await handle.readFile("utf8");
    return { owner: parseOwner(text), stamp: `${ino}:${mtimeNs}:${ctimeNs}:${text}` };
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorField(error, "code") === "ENOENT") return undefined;
    throw error;
  }
}

function parseOwner(text: string): PathOwner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorField(error, "code") !== "ENOENT") throw error;
  });
}
