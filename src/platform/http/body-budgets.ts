import type { Caller } from "../../core/role.ts";
import { createMemoryBudget, type MemoryBudget } from "./json-body.ts";

/** The memory of bodies being read, divided by who sends them, so that nobody's bodies keep another's from being read. */
export interface BodyBudgets {
  /** Of the webhook of Alertmanager alone. */
  readonly webhook: MemoryBudget;
  /** Of a caller with a token: applications have one part and people another, and no single caller gets more than half of it. */
  ofCaller(caller: Caller): MemoryBudget;
}

/** Divides `totalBytes`: half is the webhook's, a quarter the applications', a quarter the people's. */
export function createBodyBudgets(totalBytes: number): BodyBudgets {
  const quarter = Math.floor(totalBytes / 4);
  const workload = sharedBudget(quarter);
  const people = sharedBudget(quarter);
  return {
    webhook: createMemoryBudget(totalBytes - 2 * quarter),
    ofCaller: ({ name, role }) => (role === "workload" ? workload : people)(name),
  };
}

/** A budget of which no holder gets more than half. */
function sharedBudget(limitBytes: number): (holder: string) => MemoryBudget {
  const whole = createMemoryBudget(limitBytes);
  const held = new Map<string, number>();
  return (holder) => ({
    take(bytes) {
      const bytesOfHolder = (held.get(holder) ?? 0) + bytes;
      if (bytesOfHolder > limitBytes / 2 || !whole.take(bytes)) return false;
      held.set(holder, bytesOfHolder);
      return true;
    },
    give(bytes) {
      whole.give(bytes);
      const remaining = (held.get(holder) ?? 0) - bytes;
      if (remaining > 0) held.set(holder, remaining);
      else held.delete(holder);
    },
  });
}
