import type { Redis } from "ioredis";
import { bucketOf } from "../../../packages/sdk/src/assignment.ts";
import type { RolloutAssignment } from "../../../packages/sdk/src/wire/rollouts.ts";
import { workloadKeys as keys, rolloutTicketOf } from "../../platform/redis/workload-keys.ts";

/** The rollouts of a ticket as a script takes them: their keys, and four values for each (rollouts.lua). */
export interface Exposures {
  readonly moreKeys: readonly string[];
  readonly moreArgs: readonly (string | number)[];
}

/** A ticket that is in no rollout. */
export const noExposures: Exposures = { moreKeys: [], moreArgs: [] };

/** A ticket with what the application says of its rollouts. */
interface AssignedTicket {
  readonly ticketId: string;
  readonly assignments: readonly RolloutAssignment[];
}

/** What {@link createExposureReader} makes. */
export type ExposureReader = (ticket: AssignedTicket) => Promise<Exposures>;

/** Looks up the salts of rollouts, each once. Assignments to a rollout that does not exist are left out, and `unknownRollout` hears of them. */
export function createExposureReader(redis: Redis, unknownRollout: () => void): ExposureReader {
  const salts = new Map<string, Promise<string | null>>();
  const saltOf = (rollout: string): Promise<string | null> => {
    const salt = salts.get(rollout) ?? redis.hget(keys.rollout(rollout), "salt");
    salts.set(rollout, salt);
    return salt;
  };
  return async ({ ticketId, assignments }) => {
    const read = await Promise.all(assignments.map(async (assignment) => ({ assignment, salt: await saltOf(assignment.rollout) })));
    const moreKeys: string[] = [];
    const moreArgs: (string | number)[] = [];
    for (const { assignment, salt } of read) {
      if (salt === null) {
        unknownRollout();
        continue;
      }
      const { rollout, arm, share } = assignment;
      moreKeys.push(keys.rollout(rollout));
      moreArgs.push(rolloutTicketOf(ticketId), arm, share ?? "", bucketOf(salt, ticketId));
    }
    return { moreKeys, moreArgs };
  };
}
