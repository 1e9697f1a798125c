import type { Redis } from "ioredis";
import { createAuditLog } from "../audit/redis-store.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import type { FeaturePorts } from "../llm/features/feature-ports.ts";
import { createFeatureRequests } from "../llm/features/read-feature-requests.ts";
import { createEvidenceStore } from "../llm/features/redis-evidence.ts";
import type { FlagSwitches } from "../llm/flags/flag-switches.ts";
import { createStoredFlagSwitch } from "../llm/flags/stored-flag-switch.ts";
import { openAssessment } from "./open-exploitation.ts";
import { openFlagSwitches } from "./open-flag-switches.ts";
import { openFlags } from "./open-flags.ts";
import { openFollowers } from "./open-followers.ts";
import { openKeySwitches } from "./open-key-switches.ts";
import { openSecurityFindings } from "./open-security-findings.ts";
import type { Runtime } from "./runtime.ts";

/** What containing a feature acts on, beside budgets and requests. */
export function openFeatures(runtime: Runtime, redis: Redis, prometheus: PrometheusReader): Omit<FeaturePorts, "budgets" | "http"> {
  const { config, clock } = runtime;
  return {
    features: config.features,
    securityFindings: openSecurityFindings(runtime, redis),
    flags: openFlags(runtime, redis),
    assess: openAssessment(runtime, redis),
    flagSwitches: openAllFlagSwitches(runtime, redis),
    keySwitches: openKeySwitches(runtime),
    featureRequests: createFeatureRequests(prometheus, config.timeFactor),
    evidence: { store: createEvidenceStore(redis), audit: createAuditLog(redis, clock) },
  };
}

/** The switches of every system that keeps flags, our own one among them. */
export function openAllFlagSwitches(runtime: Runtime, redis: Redis): FlagSwitches {
  const runbookd = createStoredFlagSwitch({ flags: openFlags(runtime, redis), followers: openFollowers(runtime, redis) });
  return { ...openFlagSwitches(runtime), runbookd };
}
