import type { Redis } from "ioredis";
import { createAuditLog } from "../audit/redis-store.ts";
import { dayMs } from "../core/duration.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import type { FeaturePorts } from "../llm/features/feature-ports.ts";
import { type KeySwitches, missingKeySwitch } from "../llm/features/key-switches.ts";
import { createFeatureRequests } from "../llm/features/read-feature-requests.ts";
import { createEvidenceStore } from "../llm/features/redis-evidence.ts";
import { createSecurityFindingStore } from "../llm/findings/redis-security-findings.ts";
import { type FlagSwitches, missingFlagSwitch } from "../llm/flags/flag-switches.ts";
import { createStoredFlagSwitch } from "../llm/flags/stored-flag-switch.ts";
import { openFlags } from "./open-flags.ts";
import { openFollowers } from "./open-followers.ts";
import type { Runtime } from "./runtime.ts";

/** For the reports that authorities ask for; a run reads findings and drops none. */
const findingRetentionMs = 400 * dayMs;

/** What containing a feature acts on, beside budgets and requests. */
export function openFeatures(runtime: Runtime, redis: Redis, prometheus: PrometheusReader): Omit<FeaturePorts, "budgets" | "http"> {
  const { config, clock } = runtime;
  return {
    features: config.features,
    securityFindings: createSecurityFindingStore({ redis, clock, retentionMs: findingRetentionMs }),
    flagSwitches: openFlagSwitches(runtime, redis),
    keySwitches: openKeySwitches(),
    featureRequests: createFeatureRequests(prometheus),
    evidence: { store: createEvidenceStore(redis), audit: createAuditLog(redis, clock) },
  };
}

/** The systems that keep flags. */
export function openFlagSwitches(runtime: Runtime, redis: Redis): FlagSwitches {
  return {
    runbookd: createStoredFlagSwitch({ flags: openFlags(runtime, redis), followers: openFollowers(runtime, redis) }),
    unleash: missingFlagSwitch("Unleash", ["UNLEASH_URL"]),
    flagd: missingFlagSwitch("flagd", ["FLAGD_FILE"]),
  };
}

function openKeySwitches(): KeySwitches {
  return {
    anthropic: missingKeySwitch("Anthropic", ["ANTHROPIC_ADMIN_KEY"]),
    litellm: missingKeySwitch("LiteLLM", ["LITELLM_URL", "LITELLM_KEY"]),
  };
}
