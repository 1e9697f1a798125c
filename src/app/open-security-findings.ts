import type { Redis } from "ioredis";
import { dayMs } from "../core/duration.ts";
import { createSecurityFindingStore } from "../llm/findings/redis-security-findings.ts";
import type { SecurityFindingStore } from "../llm/findings/security-finding-store.ts";
import type { Runtime } from "./runtime.ts";

/** The store of security findings, for whichever process asks. */
export function openSecurityFindings({ clock, config }: Pick<Runtime, "clock" | "config">, redis: Redis): SecurityFindingStore {
  return createSecurityFindingStore({ redis, clock, retentionMs: config.findingDays * dayMs });
}
