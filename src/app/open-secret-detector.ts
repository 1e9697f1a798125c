import type { Redis } from "ioredis";
import { createSecretScanner } from "../integrations/secretlint/create-secret-scanner.ts";
import { type ChangeInspector, createChangeInspector } from "../llm/findings/create-change-inspector.ts";
import { createSecretDetector, type SecretDetector } from "../llm/findings/create-secret-detector.ts";
import type { FindingIntakeResult } from "../llm/findings/finding-intake.ts";
import { countSecretDetection, startSecretDetections } from "../llm/findings/metrics.ts";
import { createHoneytokenStore } from "../llm/prompts/redis-honeytokens.ts";
import type { CheckpointRepository } from "../llm/tickets/checkpoint.ts";
import { openFindingIntake, openSecurityFindings } from "./open-security-findings.ts";
import type { Runtime } from "./runtime.ts";

/** Own detection of secrets, with a thread that ends with the process. */
export function openSecretDetector(runtime: Runtime, redis: Redis): SecretDetector {
  const { clock, random, metrics, closers } = runtime;
  const intake = openFindingIntake(runtime, redis);
  const scanner = createSecretScanner(clock);
  closers.add("secret scanner", async () => scanner.close());
  return createSecretDetector({
    scanner,
    honeytokens: createHoneytokenStore(redis, random),
    intake: { take: async (findings) => (await intake.take(findings)).map(keptOf) },
    sources: openSecurityFindings(runtime, redis),
    clock,
    onDetected: (detection) => countSecretDetection(metrics, detection),
  });
}

/** Looks for secrets in what the tickets of this process change. What is in hand at the end is looked through before the process goes. */
export function openChangeInspector(runtime: Runtime, checkpoints: CheckpointRepository): ChangeInspector {
  const { config, closers, log, metrics } = runtime;
  startSecretDetections(
    metrics,
    config.features.map(({ name }) => name),
  );
  const detector = openSecretDetector(runtime, runtime.connect("request"));
  const inspector = createChangeInspector({ checkpoints, detector, log });
  closers.add("inspection of changes", async () => inspector.settled());
  return inspector;
}

function keptOf(result: FindingIntakeResult) {
  return result.kind === "refused" ? {} : { finding: result.finding };
}
