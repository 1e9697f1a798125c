import type { RunbookdApi } from "./runbookd-api.ts";

/** Step id → name of a runbook, in order; empty when it cannot be read, because names are only for people. */
export async function runbookSteps(api: Pick<RunbookdApi, "steps">, runbook: string): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map((await api.steps(runbook)).map(({ id, name }) => [id, name]));
  } catch {
    return new Map();
  }
}
