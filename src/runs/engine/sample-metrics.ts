import { resolvePromql } from "../../runbooks/expressions/expression.ts";
import type { ActiveRun } from "./active-run.ts";
import { scopeOf } from "./scope.ts";

const sampleTimeoutMs = 5000;

/** Asks Prometheus for the metrics that the document tracks and records them; one that cannot be read, or that is not one number, is null. */
export async function sampleMetrics({ runbook, writer, deps }: ActiveRun): Promise<void> {
  const names = Object.entries(runbook.track);
  if (names.length === 0) return;
  writer.receiveNotices();
  const scope = scopeOf(writer.view);
  const signal = AbortSignal.any([writer.lostSignal, deps.clock.timeout(sampleTimeoutMs)]);
  const values = await Promise.all(
    names.map(async ([name, source]) => {
      const query = resolvePromql(source, scope);
      if (!query.ok) return [name, null] as const;
      const result = await deps.metrics.query(query.query, undefined, signal);
      const value = result.kind === "samples" && result.samples.length === 1 ? result.samples[0]?.value : undefined;
      return [name, value !== undefined && Number.isFinite(value) ? value : null] as const;
    }),
  );
  writer.record({ kind: "sampled", values: Object.fromEntries(values) });
}
