import type { Redis } from "ioredis";
import { dayMs } from "../core/duration.ts";
import { createFindingIntake, type FindingIntake } from "../llm/findings/finding-intake.ts";
import { createSecurityFindingStore } from "../llm/findings/redis-security-findings.ts";
import type { SecurityFindingStore, SourceStatus } from "../llm/findings/security-finding-store.ts";
import { openAssessment } from "./open-exploitation.ts";
import type { Runtime } from "./runtime.ts";

/** The store of security findings, for whichever process asks. */
export function openSecurityFindings({ clock, config }: Pick<Runtime, "clock" | "config">, redis: Redis): SecurityFindingStore {
  return createSecurityFindingStore({ redis, clock, retentionMs: config.findingDays * dayMs });
}

/** The way by which findings come in, for whichever process hears of one. */
export function openFindingIntake(runtime: Pick<Runtime, "clock" | "config">, redis: Redis): FindingIntake {
  const { clock, config } = runtime;
  const assess = openAssessment(runtime, redis);
  return createFindingIntake({ store: openSecurityFindings(runtime, redis), features: config.features, assess, clock });
}

/** How the sources were read last. Rejects with StoreUnavailable when Redis does not answer. */
export async function readSecuritySources(redis: Redis): Promise<readonly SourceStatus[]> {
  return createSecurityFindingStore({ redis, clock: { now: () => 0 }, retentionMs: 0 }).sources();
}
