import type { Redis } from "ioredis";
import { minuteMs } from "../core/duration.ts";
import { createCommandAttacks } from "../integrations/command/create-command-attacks.ts";
import { createHttpClient } from "../integrations/http/create-http-client.ts";
import { createVersionReader } from "../integrations/http/create-version-reader.ts";
import type { AttackPorts } from "../llm/attacks/actions/replay-attacks.ts";
import { createAttackCorpusFolder } from "../llm/attacks/attack-corpus-folder.ts";
import { type AttackPassDeps, attackScheduleTimes, replayDueAttacks } from "../llm/attacks/jobs.ts";
import { createAttackReplayStore } from "../llm/attacks/redis-attack-replays.ts";
import { commonVersion } from "../llm/releases/judge-versions.ts";
import type { ScheduledTask } from "../platform/queue/scheduled-work.ts";
import { openFindingIntake, openSecurityFindings } from "./open-security-findings.ts";
import { openCommands } from "./open-work.ts";
import type { Runtime } from "./runtime.ts";

/** Transcripts of some thousand tries. */
const maxTranscriptBytes = 32 * 1024 * 1024;

/** Recorded attacks, the command that sends them to an isolated instance, and what came of it. */
export function openAttacks(runtime: Runtime, redis: Redis): Omit<AttackPorts, "features"> {
  return {
    attackCorpora: createAttackCorpusFolder(runtime.config.attacks),
    attackRunner: createCommandAttacks({ commands: openCommands(runtime, maxTranscriptBytes), clock: runtime.clock }),
    attackReplays: createAttackReplayStore(redis),
  };
}

/** How often it is looked what is due. */
const passIntervalMs = 10 * minuteMs;

/** The replay of every corpus once a week, and what it says of findings, for one process of all. */
export function scheduleAttackReplays(runtime: Runtime, redis: Redis): ScheduledTask {
  const { config, clock, log, closers } = runtime;
  const divided = (ms: number) => Math.max(1000, ms / config.timeFactor);
  const times = {
    quietMs: divided(attackScheduleTimes.quietMs),
    hitMs: divided(attackScheduleTimes.hitMs),
    claimMs: Math.ceil(divided(attackScheduleTimes.claimMs)),
  };
  const http = createHttpClient({ allow: config.httpAllow, clock });
  closers.add("http client of attack replays", async () => http.close());
  const readVersions = createVersionReader(http, clock);
  const deps: AttackPassDeps = {
    ...openAttacks(runtime, redis),
    features: config.features,
    deployedCommit: async ({ versionUrls }, signal) => commonVersion(await readVersions(versionUrls, signal)),
    securityFindings: openSecurityFindings(runtime, redis),
    findingIntake: openFindingIntake(runtime, redis),
    times,
    clock,
    log,
  };
  return { name: "attack-replays", intervalMs: divided(passIntervalMs), run: async (signal) => replayDueAttacks(deps, signal) };
}
