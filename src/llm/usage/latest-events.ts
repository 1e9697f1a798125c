import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { identityOf } from "./counted-report.ts";

/**
 * The events without those that a later one replaces, and without turns that were reported after all. `events` are in the order in which they were recorded;
 * the order stays.
 */
export function latestEvents(events: readonly UsageEvent[]): readonly UsageEvent[] {
  const revising = events.filter(({ revises }) => revises === true);
  if (revising.length === 0) return events;
  const latest = new Map<string, UsageEvent>(revising.map((event) => [identityOf(event), event]));
  return events.filter((event) => {
    const standing = latest.get(identityOf(event));
    return (standing === undefined || standing === event) && !isWithdrawn(event);
  });
}

function isWithdrawn({ anomaly, costMicroUsd }: UsageEvent): boolean {
  return anomaly === "no_report" && costMicroUsd === 0;
}
