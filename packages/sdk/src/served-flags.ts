import type { FlagSnapshot, SavedFlag } from "./flag-snapshot.ts";
import { type Changed, type Http, Refused } from "./http.ts";
import { type Flag, flagKeySchema, flagSchema, maxFlagsPerRequest } from "./wire/flags.ts";
import { canonicalJson } from "./wire/json.ts";
import { tolerant } from "./wire/tolerant.ts";

/** Keys that one process follows; the ones not asked for longest make room. */
const maxKeys = 500;
/** Keys are part of the address, and versions of a header: both must pass every proxy. */
const maxKeyBytesPerRequest = 2000;
const snapshotEveryMs = 60_000;
/** What a server answers that cannot read the request, because of one of its keys or because it is too long. */
const unreadableRequest: readonly number[] = [400, 414, 422, 431];

/** What is known of one key. */
export interface FlagEntry {
  /** Undefined: runbookd has no such flag, or one that this client cannot read. */
  readonly flag: Flag | undefined;
  /** When runbookd said so last, UTC milliseconds. */
  readonly at: number;
  /** `snapshot`: read from the file, and not yet from runbookd. */
  readonly from: "runbookd" | "snapshot";
}

/** What happens to the flags of a process. */
export type FlagEvent =
  /** Flags that are not what they were, by key. */
  | { readonly kind: "changed"; readonly keys: readonly string[] }
  /** Runbookd has answered, for the first time or after it was away. */
  | { readonly kind: "current" }
  /** A refresh failed; what is known stays. */
  | { readonly kind: "stale"; readonly why: string };

/** Something that an operator of the application should see. `why` is one sentence. */
export interface FlagTrouble {
  /** `snapshot_ignored`: the file is damaged and enables nothing. `flags_not_read`: runbookd cannot be asked; reported once until it answers again. */
  readonly what: "snapshot_ignored" | "snapshot_not_written" | "flags_not_read";
  readonly why: string;
}

/** The flags in use, as runbookd serves them. */
export interface ServedFlags {
  /** The flag of a key; a key that is new is waited for once. Undefined: runbookd could not be asked and the snapshot does not have it. Never rejects. */
  of(key: string): Promise<FlagEntry | undefined>;
  /** Asks for changes of all keys in use. Never rejects. */
  refresh(): Promise<void>;
  /** Resolves when the snapshot is written. */
  settled(): Promise<void>;
}

/** What the flags are served with. */
export interface ServedFlagsDeps {
  readonly http: Http;
  readonly now: () => number;
  readonly snapshot: FlagSnapshot | undefined;
  /** Called for each flag that differs from what was known, before any other listener. Must not throw. */
  readonly onChanged: (key: string, flag: Flag | undefined) => void;
  readonly onEvent: (event: FlagEvent) => void;
  readonly onTrouble: (trouble: FlagTrouble) => void;
}

const readFlag = tolerant(flagSchema);

/**
 * Asks for all keys in use with one request, or with as few as an address can hold, each with the entity tag that came last. Each flag is read on its own:
 * one that cannot be read is unknown and costs none of the others.
 */
export function createServedFlags({ http, now, snapshot, onChanged, onEvent, onTrouble }: ServedFlagsDeps): ServedFlags {
  const entries = new Map<string, FlagEntry>();
  /** Keys in use in the order of their first use, so that a request for the same keys is the same request; the value says when each was used last. */
  const inUse = new Map<string, number>();
  const attempted = new Set<string>();
  const tags = new Map<string, string>();
  let uses = 0;
  let state: "unread" | "current" | "stale" = "unread";
  let loading: Promise<void> | undefined;
  let refreshing: Promise<void> | undefined;
  let writing: Promise<void> | undefined;
  let isDirty = false;
  let writtenAt = Number.NEGATIVE_INFINITY;

  const loadSnapshot = async (from: FlagSnapshot): Promise<void> => {
    const reading = await from.read();
    if (reading.kind === "ignored") onTrouble({ what: "snapshot_ignored", why: reading.why });
    if (reading.kind !== "read") return;
    for (const { flag, at } of reading.flags) entries.set(flag.key, { flag, at: Math.min(at, now()), from: "snapshot" });
  };

  const use = (key: string): void => {
    uses += 1;
    inUse.set(key, uses);
    if (inUse.size <= maxKeys) return;
    const [oldest] = [...inUse].reduce((least, one) => (one[1] < least[1] ? one : least));
    inUse.delete(oldest);
    attempted.delete(oldest);
    entries.delete(oldest);
  };

  /** Takes an answer over. Keys whose flag differs from what was known are added to `changed`. */
  const store = (keys: readonly string[], body: unknown, changed: Set<string>): void => {
    const served = new Map(listOf(body).map((item) => [keyOf(item), item]));
    for (const key of keys) {
      const before = entries.get(key);
      const read = readFlag.safeParse(served.get(key));
      const flag = read.success ? read.data : undefined;
      entries.set(key, { flag, at: now(), from: "runbookd" });
      if (canonicalJson(before?.flag) === canonicalJson(flag)) continue;
      isDirty = true;
      if (before === undefined) continue;
      changed.add(key);
      onChanged(key, flag);
    }
  };

  /** Rejects with Unreachable or Refused. */
  const ask = async (keys: readonly string[], changed: Set<string>): Promise<void> => {
    const names = keys.join(",");
    const held = keys.flatMap((key) => {
      const flag = entries.get(key)?.flag;
      return flag === undefined ? [] : [`${key}=${flag.version}`];
    });
    let answer: Changed;
    try {
      answer = await http.getChanged(`/api/flags/served?keys=${names}`, tags.get(names), { "runbookd-held": held.join(",") });
    } catch (error) {
      if (!(error instanceof Refused) || !unreadableRequest.includes(error.status)) throw error;
      // One key may be at fault. It must not keep the others from being switched off.
      if (keys.length === 1) return store(keys, { flags: [] }, changed);
      const half = Math.ceil(keys.length / 2);
      await ask(keys.slice(0, half), changed);
      return ask(keys.slice(half), changed);
    }
    if (answer.kind === "missing") throw new Refused(404, "This runbookd serves no flags; upgrade it.");
    if (answer.kind === "unchanged") {
      for (const key of keys) {
        const entry = entries.get(key);
        if (entry !== undefined) entries.set(key, { ...entry, at: now() });
      }
      return;
    }
    store(keys, answer.body, changed);
    if (answer.etag === undefined) tags.delete(names);
    else tags.set(names, answer.etag);
  };

  const exchange = async (): Promise<void> => {
    // Keys that are first used in the same turn of the event loop share the request.
    await Promise.resolve();
    const groups = groupsOf([...inUse.keys()]);
    const current = new Set(groups.map((keys) => keys.join(",")));
    for (const names of tags.keys()) if (!current.has(names)) tags.delete(names);
    const changed = new Set<string>();
    let failure: Error | undefined;
    for (const keys of groups) {
      try {
        if (failure === undefined) await ask(keys, changed);
      } catch (error) {
        failure = error instanceof Error ? error : new Error("Flags cannot be read.");
      }
      for (const key of keys) attempted.add(key);
    }
    if (changed.size > 0) onEvent({ kind: "changed", keys: [...changed] });
    if (failure === undefined) becomeCurrent();
    else becomeStale(failure.message);
    save();
  };

  const becomeCurrent = (): void => {
    if (state !== "current") onEvent({ kind: "current" });
    state = "current";
  };

  const becomeStale = (why: string): void => {
    if (state !== "stale") onTrouble({ what: "flags_not_read", why });
    state = "stale";
    onEvent({ kind: "stale", why });
  };

  /** Does not hold the refresh up: a disk that hangs must not keep a flag from being switched off. */
  const save = (): void => {
    if (snapshot === undefined || writing !== undefined || (!isDirty && now() - writtenAt < snapshotEveryMs)) return;
    isDirty = false;
    writtenAt = now();
    writing = snapshot
      .write(savedOf(entries))
      .catch((error: unknown) => onTrouble({ what: "snapshot_not_written", why: error instanceof Error ? error.message : String(error) }))
      .finally(() => {
        writing = undefined;
        if (isDirty) save();
      });
  };

  const refresh = async (): Promise<void> => {
    refreshing ??= exchange().finally(() => {
      refreshing = undefined;
    });
    await refreshing;
  };

  return {
    async of(key) {
      if (!flagKeySchema.safeParse(key).success) return { flag: undefined, at: now(), from: "runbookd" };
      if (snapshot !== undefined) await (loading ??= loadSnapshot(snapshot));
      use(key);
      while (!attempted.has(key) && inUse.has(key)) await refresh();
      return entries.get(key);
    },
    refresh,
    async settled() {
      await writing;
      // What changed during the first write is written by a second one.
      await writing;
    },
  };
}

function listOf(body: unknown): readonly unknown[] {
  const flags: unknown = Object(body).flags;
  if (!Array.isArray(flags)) throw new Error("The answer to a request for flags has no list of flags.");
  return flags;
}

function keyOf(item: unknown): unknown {
  return Object(item).key;
}

function savedOf(entries: ReadonlyMap<string, FlagEntry>): readonly SavedFlag[] {
  return [...entries.values()]
    .flatMap(({ flag, at }) => (flag === undefined ? [] : [{ flag, at }]))
    .toSorted((one, other) => one.at - other.at);
}

function groupsOf(keys: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = 0;
  for (const key of keys) {
    const group = groups.at(-1);
    bytes += key.length + 1;
    if (group === undefined || group.length >= maxFlagsPerRequest || bytes > maxKeyBytesPerRequest) {
      groups.push([key]);
      bytes = key.length + 1;
    } else group.push(key);
  }
  return groups;
}
