import { startSecretDetections } from "../llm/findings/metrics.ts";
import { createOutputRoutes } from "../llm/findings/output-routes.ts";
import { openSecretDetector } from "./open-secret-detector.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Secrets and honeytokens in what models give out. */
export function registerOutputs(runtime: Runtime, { redis }: Pick<ServerShared, "redis">): Registration {
  const features = runtime.config.features.map(({ name }) => name);
  startSecretDetections(runtime.metrics, features);
  return { routes: createOutputRoutes({ detector: openSecretDetector(runtime, redis), features }) };
}
