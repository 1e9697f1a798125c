import { join } from "node:path";
import type { StartedProcess } from "./process-group.ts";
import type { ScenarioContext } from "./scenario.ts";
import { waitUntil } from "./wait-until.ts";

/** One process of the application under care. */
export interface ApplicationProcess {
  readonly name: string;
  /** Its module under `demo`, e.g. `cost/ticket-host`. */
  readonly module: string;
  /** Settings of its own, beside what every such process is told. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a process of the application under care; it ends with this one. */
export function startApplication({ system, services }: ScenarioContext, { name, module, env }: ApplicationProcess): StartedProcess {
  return services.group.start({
    name,
    program: process.execPath,
    args: [join(services.projectRoot, "dist/demo", `${module}.js`)],
    messages: true,
    env: {
      REDIS_URL: system.redisUrl,
      RUNBOOKD_URL: system.runbookdUrl,
      RUNBOOKD_TOKEN: system.workloadToken,
      MODEL_URL: system.model.url,
      ...env,
    },
  });
}

/** Resolves once the application has called the model; rejects with the end of its log when it is gone before. */
export async function untilModelCalled({ system, clock, signal }: ScenarioContext, application: StartedProcess): Promise<void> {
  await Promise.race([
    waitUntil(clock, "The workload called no model", async () => (system.model.stats().requests > 0 ? true : undefined), {
      withinMs: 120_000,
      signal,
    }),
    application.gone.then((how) => {
      throw new Error(`The workload ${how}. The end of ${application.logFile}:\n${application.tail()}`);
    }),
  ]);
}
