import { z } from "zod";
import type { ActionOutput, Effect, Plan } from "../../packages/sdk/src/wire/plans.ts";
import type { Action, ActionContext, ActionResult, BoundAction, Probe, Risk } from "../../src/core/action.ts";

/** What one call of an action does. */
export type Turn = (plan: Plan, context: ActionContext) => ActionResult | Promise<ActionResult>;

/** An action whose every call is written down by the test. */
export interface ScriptedAction {
  readonly name: string;
  readonly effect?: Effect;
  readonly risk?: Risk;
  /** Calls in order; the last one repeats. Default: done with `{ ok: true }`. */
  readonly turns?: readonly Turn[];
  readonly probe?: (plan: Plan, context: ActionContext) => Probe;
  readonly undo?: (plan: Plan, output: ActionOutput) => void;
  readonly targets?: readonly string[];
}

/** What happened, in order, e.g. `run pause`, `probe pause`, `undo pause`. */
export interface ScriptedActions {
  find(name: string): Action | undefined;
  readonly calls: string[];
  readonly keys: string[];
}

/** Done with this output. */
export function done(output: ActionOutput = { ok: true }): Turn {
  return () => ({ kind: "done", output });
}

/** Builds the actions of a test. */
export function scriptActions(scripts: readonly ScriptedAction[]): ScriptedActions {
  const calls: string[] = [];
  const keys: string[] = [];
  const actions = new Map(scripts.map((script) => [script.name, actionOf(script, calls, keys)]));
  return { calls, keys, find: (name) => actions.get(name) };
}

function actionOf(script: ScriptedAction, calls: string[], keys: string[]): Action {
  const effect = script.effect ?? "set";
  const turns = script.turns ?? [done()];
  let turn = 0;
  const { probe, undo } = script;
  const bound: BoundAction = {
    name: script.name,
    effect,
    // What lowers is never undone.
    risk: script.risk ?? (undo === undefined ? "lowers" : "raises"),
    timeoutMs: 10_000,
    plan: async () => ({
      summary: `Do ${script.name}`,
      targets: script.targets ?? [`thing/${script.name}`],
      changes: [{ target: `thing/${script.name}`, field: "value", before: 0, after: 1 }],
      reversible: true,
      data: {},
    }),
    async run(plan, context) {
      calls.push(`run ${script.name}`);
      keys.push(context.idempotencyKey);
      const next = turns[Math.min(turn, turns.length - 1)] ?? done();
      turn += 1;
      return next(plan, context);
    },
    ...(probe !== undefined && {
      probe: async (plan: Plan, context: ActionContext) => {
        calls.push(`probe ${script.name}`);
        return probe(plan, context);
      },
    }),
    ...(undo !== undefined && {
      undo: async (plan: Plan, output: ActionOutput) => {
        calls.push(`undo ${script.name}`);
        undo(plan, output);
      },
    }),
  };
  return {
    name: script.name,
    summary: script.name,
    parameters: z.object({}),
    result: {},
    effectOf: () => effect,
    risk: bound.risk,
    probes: probe !== undefined,
    undoes: undo !== undefined,
    bind: () => ({ ok: true, action: bound }),
  };
}
