import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Scope } from "../../runbooks/expressions/expression.ts";
import type { RunView, StepView } from "./run-view.ts";

/** What an expression of this run may see right now. `result` is the step's own. */
export function scopeOf(view: RunView, result?: Json): Scope {
  const steps: Record<string, { readonly result: Json }> = {};
  for (const [id, step] of view.steps) {
    const result = resultOf(step);
    if (result !== undefined) steps[id] = { result };
  }
  const alert = view.request.alert;
  return {
    params: view.request.params,
    steps,
    run: {
      id: view.runId,
      runbook: view.request.runbookId,
      mode: view.request.mode,
      target: view.request.target ?? "",
      source: view.request.source,
      acceptedAt: view.acceptedAt,
      requester: view.request.requester ?? "",
    },
    ...(alert !== undefined && {
      alert: { labels: alert.labels, annotations: alert.annotations, startsAt: alert.startsAt, fingerprint: alert.fingerprint },
    }),
    ...(result !== undefined && { result }),
    ...(view.samples.length > 0 && { before: view.samples[0]?.values ?? {}, now: view.samples.at(-1)?.values ?? {} }),
  };
}

/** Null when the step is over and left none: it failed and the run goes on, it was skipped, or a person did it. Undefined: it is not over. */
function resultOf({ over, applied }: Readonly<StepView>): Json | undefined {
  if (over === "skipped") return null;
  return applied?.output ?? (over === "completed" ? null : undefined);
}
