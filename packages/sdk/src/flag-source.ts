import { assignFlag, bucketOf, type FlagAssignment, variantOf } from "./assignment.ts";
import type { Clock } from "./clock.ts";
import { createFeatureRequestCounter, type RequestOutcome } from "./feature-requests.ts";
import type { FlagSnapshot } from "./flag-snapshot.ts";
import type { Http } from "./http.ts";
import { createAssignmentCache } from "./kept-assignments.ts";
import { createServedFlags, type FlagEntry, type FlagEvent, type FlagTrouble } from "./served-flags.ts";
import type { TicketRollouts } from "./ticket-rollouts.ts";
import type { Flag } from "./wire/flags.ts";
import type { Json } from "./wire/json.ts";
import type { RolloutAssignment } from "./wire/rollouts.ts";

/** What the saved work of a ticket names of a flag. */
export interface BegunFlag {
  readonly variant: string;
  readonly rollout?: RolloutAssignment;
}

/** For whom a flag is evaluated. */
export interface FlagContext {
  /** Decides the share of a rollout that the ticket falls into. While a flag is on, a ticket keeps the variant that it began with. */
  readonly ticketId?: string | undefined;
  /** What another process saved of the same ticket; used before anything else while the flag is on and has the variant. */
  readonly begun?: BegunFlag | undefined;
}

/** A flag's value with its origin. */
export interface ResolvedFlag extends BegunFlag {
  readonly kind: "resolved";
  readonly value: Json;
  /** A word of OpenFeature: the flag is off, or has one variant for everybody, or a share decided. */
  readonly reason: "DISABLED" | "STATIC" | "SPLIT";
  readonly version: number;
  readonly feature?: string;
  /** How long ago runbookd confirmed the flag, in milliseconds; it grows while runbookd is away. */
  readonly ageMs: number;
  /** `snapshot`: from the file of an earlier process, not confirmed by runbookd since. */
  readonly from: "runbookd" | "snapshot";
}

/**
 * What a flag is to one ticket. `unknown`: runbookd has no such flag. `unread`: runbookd cannot be asked, and nothing of the flag is known. `targeting_key_missing`:
 * a share decides, and no ticket was named. `variant_missing`: the flag contradicts itself.
 */
export type FlagResolution =
  | ResolvedFlag
  | { readonly kind: "unresolved"; readonly reason: "unknown" | "unread" | "targeting_key_missing" | "variant_missing" };

/** Flags as runbookd serves them. */
export interface FlagSource {
  /**
   * Whether a feature is on for a ticket. There is no default to choose: everything but a boolean flag that is on, with a variant of value true for the
   * ticket, is false. So are an unknown flag and one of which nothing could be read. While runbookd is away the flag stays as it was. The first call for
   * a key waits for runbookd, 5 s at most; later ones answer from memory. Never rejects.
   */
  enabled(key: string, context?: FlagContext): Promise<boolean>;
  /** The value of a flag of any type. What counts as on is the application's decision here; prefer `enabled`. Never rejects. */
  evaluate(key: string, context?: FlagContext): Promise<FlagResolution>;
  /**
   * Follows flags before their first use, so that this process counts among their followers. Resolves when runbookd was asked, with the keys of which
   * nothing could be read. Never rejects.
   */
  follow(keys: readonly string[]): Promise<readonly string[]>;
  /** Counts a request of a feature that no flag of runbookd decides; `enabled` counts on its own. Sent with the next refresh. */
  countRequest(feature: string, outcome: RequestOutcome): void;
  /** Calls `listener` at every event until the returned function is called. What it throws is dropped. */
  watch(listener: (event: FlagEvent) => void): () => void;
  /** Sends what was counted, writes the snapshot to its end, and stops asking for changes. */
  close(): Promise<void>;
}

/** What flags are served and counted with. */
export interface FlagSourceDeps {
  readonly http: Http;
  readonly clock: Clock;
  /** Longest time between two refreshes in milliseconds. */
  readonly everyMs: number;
  /** Random for each process. */
  readonly reporter: string;
  readonly snapshot?: FlagSnapshot | undefined;
  readonly onTrouble: (trouble: FlagTrouble) => void;
  readonly rollouts: Pick<TicketRollouts, "remember">;
}

/** Share of the interval by which refreshes of many processes are spread. It only shortens: a flag that was switched off is known within one interval. */
const jitter = 0.2;

/** Evaluates what {@link createServedFlags} serves, and keeps it up to date from the first use on. */
export function createFlagSource({ http, clock, everyMs, reporter, snapshot, onTrouble, rollouts }: FlagSourceDeps): FlagSource {
  const stopped = new AbortController();
  const listeners = new Set<(event: FlagEvent) => void>();
  const requests = createFeatureRequestCounter({ http, reporter });
  const assignments = createAssignmentCache<BegunFlag>();
  /** How often each flag was seen off: what tickets began with before that is void. */
  const eras = new Map<string, number>();
  let isWatching = false;

  const publish = (event: FlagEvent): void => {
    for (const listener of listeners) quietly(() => listener(event));
  };
  const served = createServedFlags({
    http,
    now: () => clock.now(),
    snapshot,
    onTrouble: (trouble) => quietly(() => onTrouble(trouble)),
    onChanged: (key, flag) => {
      if (flag?.state !== "on") eras.set(key, (eras.get(key) ?? 0) + 1);
    },
    onEvent: publish,
  });

  const refreshForever = async (): Promise<void> => {
    for (let nth = 0; !stopped.signal.aborted; nth += 1) {
      try {
        await clock.sleep(Math.round(everyMs * (1 - jitter * bucketOf(reporter, String(nth)))), stopped.signal);
      } catch {
        return;
      }
      await served.refresh();
      // Not waited for: a report that hangs must not keep a flag from being switched off.
      void requests.send();
    }
  };
  const start = (): void => {
    if (isWatching || stopped.signal.aborted) return;
    isWatching = true;
    void refreshForever();
  };

  const entryOf = async (key: string): Promise<FlagEntry | undefined> => {
    start();
    const entry = await served.of(key);
    if (entry?.flag?.feature !== undefined) requests.announce(entry.flag.feature);
    return entry;
  };

  /** The variant of a ticket: off wins over everything, then what the ticket began with. */
  const assign = (flag: Flag, { ticketId, begun }: FlagContext): FlagAssignment => {
    const fresh = assignFlag(flag, ticketId);
    if (flag.state !== "on" || ticketId === undefined || fresh.kind === "failed") return fresh;
    const name = `${flag.key} ${eras.get(flag.key) ?? 0}`;
    const given = begun !== undefined && Object.hasOwn(flag.variants, begun.variant) ? begun : undefined;
    const kept = assignments.of(name, ticketId, { given, fresh: () => begunOf(fresh) });
    const assignment = variantOf(flag, kept.variant, { reason: fresh.reason, ...(kept.rollout && { rollout: kept.rollout }) });
    // The flag has lost the variant since.
    if (assignment.kind === "failed") return fresh;
    if (kept.rollout !== undefined) rollouts.remember(ticketId, kept.rollout);
    return assignment;
  };

  const resolve = (entry: FlagEntry | undefined, context: FlagContext): FlagResolution => {
    if (entry === undefined) return { kind: "unresolved", reason: "unread" };
    const { flag, at, from } = entry;
    if (flag === undefined) return { kind: "unresolved", reason: "unknown" };
    const assignment = assign(flag, { ...context, ticketId: context.ticketId === "" ? undefined : context.ticketId });
    if (assignment.kind === "failed") return { kind: "unresolved", reason: assignment.fault };
    const { variant, value, reason, rollout } = assignment;
    return {
      kind: "resolved",
      value,
      variant,
      reason,
      version: flag.version,
      ...(flag.feature !== undefined && { feature: flag.feature }),
      ...(rollout !== undefined && { rollout }),
      ageMs: Math.max(0, clock.now() - at),
      from,
    };
  };

  return {
    async enabled(key, context = {}) {
      const entry = await entryOf(key);
      const resolution = resolve(entry, context);
      const enabled = entry?.flag?.state === "on" && resolution.kind === "resolved" && resolution.value === true;
      if (entry?.flag?.feature !== undefined) requests.count(entry.flag.feature, enabled ? "served" : "refused");
      return enabled;
    },
    async evaluate(key, context = {}) {
      const entry = await entryOf(key);
      const resolution = resolve(entry, context);
      if (entry?.flag?.feature !== undefined && entry.flag.type === "boolean" && resolution.kind === "resolved") {
        requests.count(entry.flag.feature, resolution.value === true ? "served" : "refused");
      }
      return resolution;
    },
    async follow(keys) {
      const entries = await Promise.all(keys.map(entryOf));
      return keys.filter((_, index) => entries[index] === undefined);
    },
    countRequest(feature, outcome) {
      start();
      requests.count(feature, outcome);
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      stopped.abort(new Error("closed"));
      if (isWatching) await requests.finish();
      await served.settled();
    },
  };
}

function begunOf({ variant, rollout }: BegunFlag): BegunFlag {
  return { variant, ...(rollout !== undefined && { rollout }) };
}

function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // What the application does with an event must not keep a flag from being switched off.
  }
}
