import type { RunbookdApi } from "./runbookd-api.ts";

/** Step id → name of the runbook that handles the cost scenario, in order; empty when it cannot be read, because names are only for people. */
export async function runbookSteps(api: Pick<RunbookdApi, "steps">): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map((await api.steps("cost-incident-response")).map(({ id, name }) => [id, name]));
  } catch {
    return new Map();
  }
}
