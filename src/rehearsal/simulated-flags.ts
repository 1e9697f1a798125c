import type { Flag } from "../../packages/sdk/src/wire/flags.ts";
import type { Clock } from "../core/clock.ts";
import { formatShare } from "../core/share.ts";
import { type FlagStore, flagDocument } from "../llm/flags/flag.ts";
import type { FollowerBook } from "../llm/rollouts/followers.ts";
import { createMemoryFlags } from "./memory-flags.ts";
import type { SimulatedFeature } from "./rehearsal.ts";

/** Flags of a rehearsal, and the processes that follow them. */
export interface SimulatedFlags {
  readonly flags: FlagStore;
  readonly followers: Pick<FollowerBook, "count">;
  /** Whether every flag of the feature gives each ticket the off variant. */
  readonly isOff: (feature: SimulatedFeature) => boolean;
}

/** The variants of every flag of a rehearsal. */
const [on, off] = ["on", "off"];

/** Flags that are on when the alert arrives, and whose processes follow as the rehearsal says. `changed` hears every change as one line. */
export function createSimulatedFlags(
  features: readonly SimulatedFeature[],
  clock: Pick<Clock, "now">,
  changed: (line: string) => void,
): SimulatedFlags {
  const owners = new Map(features.flatMap((feature) => feature.flags.map((key) => [key, feature] as const)));
  const present = new Map([...owners].map(([key, feature]) => [key, firstFlag(key, feature, clock.now())]));
  const store = createMemoryFlags(clock, [...present.values()]);
  return {
    flags: {
      ...store,
      async set(change) {
        const before = present.get(change.key);
        const result = await store.set(change);
        if (result.kind === "set" && result.flag.version !== before?.version) {
          for (const line of linesOf(before, result.flag)) changed(line);
          present.set(change.key, result.flag);
        }
        return result;
      },
    },
    followers: {
      async count(document, tag) {
        const feature = [...owners].find(([key]) => flagDocument(key) === document)?.[1];
        const { followers, staleFollowers } = feature ?? { followers: 0, staleFollowers: 0 };
        return { followers, current: tag === "1" ? followers : followers - staleFollowers };
      },
    },
    isOff: ({ flags }) => flags.every((key) => present.get(key)?.state === "off"),
  };
}

function firstFlag(key: string, { name }: SimulatedFeature, at: number): Flag {
  return {
    key,
    type: "boolean",
    variants: { [on]: true, [off]: false },
    state: "on",
    offVariant: off,
    defaultVariant: on,
    rollout: null,
    feature: name,
    version: 1,
    at,
    by: "ada",
    reason: "made before the alert",
  };
}

function linesOf(before: Flag | undefined, after: Flag): readonly string[] {
  const lines = [
    ...(before?.state === after.state ? [] : [`${before?.state ?? "none"} -> ${after.state}`]),
    ...(before?.defaultVariant === after.defaultVariant ? [] : [`default ${before?.defaultVariant ?? "none"} -> ${after.defaultVariant}`]),
    ...(shareOf(before) === shareOf(after) ? [] : [`share ${shareOf(before)} -> ${shareOf(after)}`]),
  ];
  return lines.map((line) => `flag/${after.key}: ${line}`);
}

function shareOf(flag: Flag | undefined): string {
  const rollout = flag?.rollout ?? null;
  return rollout === null ? "none" : `${formatShare(rollout.share)} ${rollout.variant}`;
}
