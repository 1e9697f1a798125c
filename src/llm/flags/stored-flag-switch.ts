import { StepFailure } from "../../core/failure.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import { evaluateFlag } from "./evaluate-flag.ts";
import { type FlagStore, flagDocument, flagTag } from "./flag.ts";
import type { FlagReading, FlagSwitch } from "./flag-switch.ts";
import { setFlagState } from "./set-flag-state.ts";

/** What the switch of our own flags acts on. */
export interface StoredFlagSwitchDeps {
  readonly flags: FlagStore;
  readonly followers: Pick<FollowerBook, "count">;
}

/** Switches the flags that runbookd keeps itself. */
export function createStoredFlagSwitch({ flags, followers }: StoredFlagSwitchDeps): FlagSwitch {
  return {
    read: async (key) =>
      asked(async () => {
        const flag = await flags.read(key);
        return flag && readingOf(flag);
      }),
    setState: async (change) =>
      asked(async () => {
        const outcome = await setFlagState(flags, change);
        if (outcome.kind === "unknown") return { kind: "unknown" };
        if (outcome.kind === "set") return { kind: "set", reading: readingOf(outcome.flag) };
        return { kind: "refused", reason: `Flag ${change.key} was changed by others again and again; it is ${outcome.flag.state}.` };
      }, "write"),
    evaluate: async (key, targetingKey) =>
      asked(async () => {
        const flag = await flags.read(key);
        if (flag === undefined) return undefined;
        const outcome = evaluateFlag(flag, targetingKey);
        if (outcome.kind === "evaluated") return outcome.answer;
        throw new StepFailure({ reason: "refused_by_target", message: `Flag ${key}: ${outcome.failure.errorDetails}`, applied: "no" });
      }),
    followers: async (key) =>
      asked(async () => {
        const flag = await flags.read(key);
        return flag === undefined ? { followers: 0, current: 0 } : followers.count(flagDocument(key), flagTag(flag));
      }),
  };
}

function readingOf({ key, state, version }: Parameters<typeof flagTag>[0] & Omit<FlagReading, "version">): FlagReading {
  return { key, state, version: String(version) };
}

/** A store that does not answer is a target that is away; what it was told to write may have been written. */
async function asked<Value>(call: () => Promise<Value>, kind: "read" | "write" = "read"): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const message = "The store of flags does not answer.";
    throw new StepFailure(
      kind === "read" ? { reason: "not_reachable", message, applied: "no" } : { reason: "unknown_outcome", message, applied: "unknown" },
      { cause: error },
    );
  }
}
