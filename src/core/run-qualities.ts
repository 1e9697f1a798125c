import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import { watchdogRunbook } from "./run.ts";

/** What runs can be listed by; a run that does not name one of them is in no list of it. */
export type RunQualities = Partial<Pick<RunSummary, "runbookId" | "target" | "alertName" | "outcome">>;

/** What a run can be listed by from its start. `listed`: all but the runs of the watchdog. */
export function startQualities({ runbookId, target, alertName }: RunQualities): readonly string[] {
  return [...(runbookId === watchdogRunbook ? [] : ["listed"]), ...namedQualities({ runbookId, target, alertName })];
}

/** What a run can be listed by from its end. */
export function endQualities({ outcome }: RunQualities): readonly string[] {
  return ["ended", ...(outcome === undefined ? [] : [`outcome ${outcome}`])];
}

/** The qualities that these names stand for. */
export function namedQualities(names: {
  readonly runbookId?: string | undefined;
  readonly target?: string | undefined;
  readonly alertName?: string | undefined;
}): readonly string[] {
  const { runbookId, target, alertName } = names;
  return [
    ...(runbookId === undefined ? [] : [`runbook ${runbookId}`]),
    ...(target === undefined ? [] : [`target ${target}`]),
    ...(alertName === undefined ? [] : [`alert ${alertName}`]),
  ];
}
