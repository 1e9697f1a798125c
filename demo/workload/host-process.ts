import { z } from "zod";
import { createRunbookdClient, type RunbookdClient, type RunbookdClientOptions } from "../../packages/sdk/src/client.ts";
import { createModelClient, type ModelBody, type ModelClient } from "./model-client.ts";

/** The settings of every process of the application. */
export const hostSettings = {
  RUNBOOKD_URL: z.string(),
  RUNBOOKD_TOKEN: z.string(),
  MODEL_URL: z.string(),
};

/** What a process of the application asks: runbookd, for permission and to report, and the model server. */
export interface Reached {
  readonly client: RunbookdClient;
  readonly model: ModelClient<ModelBody>;
}

/** Opens both clients. Usage that is lost is told on standard error. */
export function reachSystem(
  settings: { readonly [Name in keyof typeof hostSettings]: string },
  options: Pick<RunbookdClientOptions, "refreshEveryMs" | "flagRefreshEveryMs" | "instance" | "onRouteChanged"> = {},
): Reached {
  return {
    client: createRunbookdClient({
      url: settings.RUNBOOKD_URL,
      token: settings.RUNBOOKD_TOKEN,
      onUsageLost: ({ reports, why }) => console.error(`${reports.length} usage reports were lost: ${why}`),
      ...options,
    }),
    model: createModelClient(settings.MODEL_URL, "sk-ant-api03-demo"),
  };
}

/** Calls `end` once and exits when whoever started this process closes the message channel, or when a signal says so. */
export function endWithStarter(end: () => Promise<void>): void {
  let ending: Promise<void> | undefined;
  const endOnce = () => {
    ending ??= end().finally(() => process.exit());
  };
  for (const event of ["disconnect", "SIGTERM", "SIGINT"]) process.on(event, endOnce);
}
