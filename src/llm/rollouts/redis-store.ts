import type { Redis } from "ioredis";
import { type ArmCounts, type Rollout, type RolloutStratum, rolloutSchema } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { Clock } from "../../core/clock.ts";
import { available } from "../../platform/redis/available.ts";
import { resultList } from "../../platform/redis/script.ts";
import { workloadKeys as keys, rolloutTicketOf } from "../../platform/redis/workload-keys.ts";
import { rolloutScripts } from "./redis-scripts.ts";
import {
  afterChange,
  byEnd,
  firstVersion,
  isCounting,
  isLive,
  isSameRollout,
  maxLiveRollouts,
  maxOverdueAtOnce,
  type NewRollout,
  type RolloutChange,
  type RolloutChangeResult,
  type RolloutCreation,
  type RolloutStore,
  rolloutRetentionMs,
  rolloutTarget,
  shareAt,
} from "./rollout.ts";

const stored = rolloutSchema.omit({ version: true });

/** Quality is kept in whole millionths. */
const qualityUnits = 1_000_000;

/** Rollouts in one hash, and what each has counted in keys of its own; docs/redis.md lists them. Rejects with StoreUnavailable when Redis does not answer. */
export function createRolloutStore({ redis, clock }: { readonly redis: Redis; readonly clock: Pick<Clock, "now"> }): RolloutStore {
  const all = async () => Object.values(await redis.hgetall(keys.rollouts)).map(parse);
  const read = async (id: string): Promise<Rollout | undefined> => {
    const text = await redis.hget(keys.rollouts, id);
    return text === null ? undefined : parse(text);
  };
  const keysOf = (id: string) => ({ rollouts: keys.rollouts, live: keys.rolloutsLive, rollout: keys.rollout(id) });

  const create = async (wanted: NewRollout): Promise<RolloutCreation> => {
    const now = clock.now();
    const rollout = firstVersion(wanted, now);
    const expired = (await all()).filter(({ endedAt }) => endedAt !== undefined && endedAt + rolloutRetentionMs < now);
    const reply = resultList(
      await rolloutScripts.create.run(redis, {
        keys: keysOf(rollout.id),
        args: {
          id: rollout.id,
          target: rolloutTarget(rollout.subject),
          newRollout: write(rollout),
          maxLive: maxLiveRollouts,
          salt: rollout.salt,
          deadlineMs: rollout.plan.deadlineMs,
          lagMs: rollout.plan.lagMs,
        },
        moreArgs: expired.map(({ id }) => id),
      }),
    );
    if (reply[0] === "created") return { kind: "created", rollout };
    if (reply[0] === "too_many") return { kind: "too_many" };
    const present = parse(String(reply[1]));
    if (reply[0] === "busy") return { kind: "busy", rollout: present };
    return { kind: isSameRollout(present, rollout) ? "exists" : "taken", rollout: present };
  };

  const change = async (wanted: RolloutChange): Promise<RolloutChangeResult> => {
    const present = await read(wanted.id);
    if (present === undefined || present.version !== wanted.expected) return { kind: "conflict", rollout: present };
    const now = clock.now();
    const rollout = afterChange(present, wanted, now);
    if (rollout === undefined) return { kind: "conflict", rollout: present };
    const [kind, other] = resultList(
      await rolloutScripts.change.run(redis, {
        keys: keysOf(rollout.id),
        args: {
          id: rollout.id,
          expectedVersion: wanted.expected,
          newRollout: write(rollout),
          target: rolloutTarget(rollout.subject),
          state: rollout.state,
          step: rollout.step,
          share: isCounting(rollout) ? shareAt(rollout.plan, rollout.step) : "",
          largestShare: rollout.largestShare,
          deadlineMs: rollout.plan.deadlineMs,
          lagMs: rollout.plan.lagMs,
          now,
          endTtlMs: isLive(rollout) ? "" : rolloutRetentionMs,
        },
      }),
    );
    if (kind === "set") return { kind: "set", rollout };
    return { kind: "conflict", rollout: other === "" ? undefined : parse(String(other)) };
  };

  const strata = async (id: string): Promise<readonly RolloutStratum[]> => {
    const [facts, fields] = await Promise.all([redis.hgetall(keys.rollout(id)), redis.hgetall(keys.rolloutStrata(id))]);
    const shares = new Map(
      Object.entries(facts).flatMap(([field, step]): [string, number][] =>
        field.startsWith(stepOfShare) ? [[step, Number(field.slice(stepOfShare.length))]] : [],
      ),
    );
    const steps = [...new Set(Object.keys(fields).map((field) => field.split(":")[0] ?? ""))].sort((a, b) => Number(a) - Number(b));
    return steps.map((step) => {
      const arm = (name: string) => readArm((field) => Number(fields[`${step}:${name}:${field}`] ?? 0));
      return { step: Number(step), share: shares.get(step) ?? 0, canary: arm("canary"), baseline: arm("baseline") };
    });
  };

  return {
    create: (rollout) => available(() => create(rollout)),
    read: (id) => available(() => read(id)),
    list: () => available(async () => (await all()).toSorted(byEnd)),
    liveOf: (target) =>
      available(async () => {
        const id = await redis.hget(keys.rolloutsLive, target);
        return id === null ? undefined : read(id);
      }),
    change: (wanted) => available(() => change(wanted)),
    strata: (id) => available(() => strata(id)),
    misassigned: (id) => available(async () => Number((await redis.hget(keys.rollout(id), "misassigned")) ?? 0)),
    exposedSince: (id, arm, since) =>
      available(() => redis.zcount(arm === "canary" ? keys.rolloutCanaryTimes(id) : keys.rolloutBaselineTimes(id), since, "+inf")),
    failOverdue: (id, now) =>
      available(async () =>
        Number(
          await rolloutScripts.failOverdue.run(redis, { keys: { rollout: keys.rollout(id) }, args: { now, maxTickets: maxOverdueAtOnce } }),
        ),
      ),
    reviseQuality: ({ ticketId, quality }) =>
      available(async () => {
        const ids = await redis.hkeys(keys.rollouts);
        const [kind, rollouts] = resultList(
          await rolloutScripts.reviseQuality.run(redis, {
            keys: {},
            moreKeys: ids.map((id) => keys.rollout(id)),
            args: { ticket: rolloutTicketOf(ticketId), quality: Math.round(quality * qualityUnits), now: clock.now() },
          }),
        );
        if (kind === "revised" || kind === "unchanged") return { kind, rollouts: Number(rollouts) };
        return { kind: kind === "too_late" || kind === "not_ended" ? kind : "unknown_ticket" };
      }),
  };
}

/** Fields of a rollout's hash that hold the step of a share begin so. */
const stepOfShare = "step_of:";

function readArm(count: (field: string) => number): ArmCounts {
  const [succeeded, overdue] = [count("succeeded"), count("overdue")];
  return {
    exposed: count("exposed"),
    ended: succeeded + overdue + count("failed"),
    succeeded,
    overdue,
    cancelled: count("cancelled"),
    unpriced: count("unpriced"),
    quality: count("quality") / qualityUnits,
    qualitySquares: count("quality_squares") / qualityUnits,
    costMicroUsd: count("cost"),
    costSquares: count("cost_squares"),
    costQuality: count("cost_quality"),
  };
}

function write({ version, ...rollout }: Rollout): string {
  return `${version} ${JSON.stringify(rollout)}`;
}

function parse(text: string): Rollout {
  const space = text.indexOf(" ");
  return { ...stored.parse(JSON.parse(text.slice(space + 1))), version: Number(text.slice(0, space)) };
}
