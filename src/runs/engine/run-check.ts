import type { Truth } from "../../../packages/sdk/src/wire/journal.ts";
import type { CheckItem, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { ensureFailure } from "../../core/failure.ts";
import { evaluate, resolvePromql, truthOf } from "../../runbooks/expressions/expression.ts";
import type { ActiveRun } from "./active-run.ts";
import { type CheckResult, checkPromql } from "./judge-promql.ts";
import { readOnce } from "./read-once.ts";
import { LeaseLost } from "./run-writer.ts";
import { scopeOf } from "./scope.ts";

type ActionCheck = Extract<CheckItem["check"], { readonly kind: "action" }>;

const checkTimeoutMs = 15_000;

/**
 * Evaluates a Prerequisite or Verification item once. What cannot be seen is inconclusive.
 * @throws LeaseLost
 */
export async function runCheck(item: CheckItem, run: ActiveRun): Promise<CheckResult> {
  const { check } = item;
  if (check === undefined) return { truth: "true", detail: "" };
  const scope = scopeOf(run.writer.view);
  switch (check.kind) {
    case "expression":
      return judged(check.expression.source, truthOf(evaluate(check.expression.source, scope)));
    case "promql": {
      const query = resolvePromql(check.query, scope);
      if (!query.ok) return { truth: "inconclusive", detail: query.what };
      const signal = AbortSignal.any([run.writer.lostSignal, run.deps.clock.timeout(checkTimeoutMs)]);
      return checkPromql(query.query, run.deps.metrics, signal);
    }
    case "action":
      return checkAction(item, check, run);
  }
}

async function checkAction(item: CheckItem, check: ActionCheck, run: ActiveRun): Promise<CheckResult> {
  const { writer } = run;
  try {
    const output = await readOnce(stepOf(item, check), run);
    writer.receiveNotices();
    return judged(check.expected.source, truthOf(evaluate(check.expected.source, scopeOf(writer.view, output))));
  } catch (error) {
    if (writer.lostSignal.aborted) throw new LeaseLost(writer.lease.runId);
    return { truth: "inconclusive", detail: ensureFailure(error).message };
  }
}

function stepOf({ position, text }: CheckItem, check: ActionCheck): Step {
  return {
    id: `check_${position.line}`,
    name: text,
    number: 0,
    text,
    position,
    action: check.call,
    onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "continue" } },
  };
}

function judged(source: string, truth: Truth): CheckResult {
  return { truth, detail: `\`${source}\` is ${truth}` };
}
