import { z } from "zod";
import type { Effect, Plan } from "../../packages/sdk/src/wire/plans.ts";
import type { Action, ActionContext, BoundAction } from "../../src/core/action.ts";
import { canonicalTarget } from "../../src/core/canonical-target.ts";
import { StepFailure } from "../../src/core/failure.ts";
import type { Operations } from "./operations.ts";
import type { SimulatedTarget, TargetRequest } from "./simulated-target.ts";

/** What the actions of one process reach the world with. */
export interface ActionWorld {
  readonly process: number;
  readonly operations: Operations;
  readonly target: SimulatedTarget;
  /** The target of a run, as the documents spell it. */
  readonly targetOf: (runId: string) => string;
}

/** The class that an action's name begins with: `keyed`, `probed`, `once`, `set`, `read`; `refuse` is a set that never works. */
export const actionNames = ["read", "set", "keyed", "probed", "once", "refuse"] as const;

const noParameters = z.object({});
const planData = z.object({ version: z.number() });
const timeoutMs = 10_000;

/** One action of each class of effects, over a target whose requests wait for the scheduler. */
export function simulatedActions(world: ActionWorld): { find(name: string): Action | undefined } {
  const actions = new Map<string, Action>(actionNames.map((name) => [name, actionOf(name, world)]));
  return { find: (name) => actions.get(name) };
}

function actionOf(name: (typeof actionNames)[number], world: ActionWorld): Action {
  const effect: Effect = name === "refuse" ? "set" : name;
  const bound = bindAction(name, effect, world);
  return {
    name,
    summary: `Does what is ${name}.`,
    parameters: noParameters,
    result: { ok: "Whether it was done" },
    effectOf: () => effect,
    risk: bound.risk,
    probes: bound.probe !== undefined,
    undoes: bound.undo !== undefined,
    bind: () => ({ ok: true, action: bound }),
  };
}

function bindAction(name: (typeof actionNames)[number], effect: Effect, world: ActionWorld): BoundAction {
  const { process, operations, target, targetOf } = world;
  const nameOf = ({ runId, stepId }: ActionContext): string => `${canonicalTarget(targetOf(runId))} ${stepId}`;

  const send = async (kind: string, context: ActionContext, work: (request: TargetRequest) => TargetRequest): Promise<{ ok: boolean }> => {
    const { runId: run, stepId: step, idempotencyKey: key, signal } = context;
    const request = work({ kind: "keyed", run, step, key, payload: `${run} ${step} ${kind}` });
    return operations.call({ process, port: "target", label: `${kind} ${run} ${step}`, signal }, async (operation) => {
      target.apply(request, operation);
      return { ok: true };
    });
  };

  const common = { name, effect, risk: name === "read" ? ("none" as const) : ("raises" as const), timeoutMs };
  const plan = async (context: ActionContext): Promise<Plan> => {
    const read = async () => target.read(nameOf(context));
    const label = `plan ${context.runId} ${context.stepId}`;
    const { value, version } =
      effect === "set"
        ? await operations.call({ process, port: "target", label, signal: context.signal }, read)
        : { value: "", version: 0 };
    const changes =
      effect === "set" ? [{ target: targetOf(context.runId), field: context.stepId, before: value, after: context.runId }] : [];
    return {
      summary: `Do ${context.stepId}`,
      targets: [targetOf(context.runId)],
      changes,
      reversible: effect === "set",
      data: { version },
    };
  };
  if (name === "refuse") {
    return {
      ...common,
      plan,
      run: async () => {
        throw new StepFailure({ reason: "refused_by_target", message: "It never works.", applied: "no" });
      },
    };
  }
  const writeOf = (context: ActionContext, { changes, data }: Plan) => {
    const before = changes[0]?.before;
    const { version } = planData.parse(data);
    return { name: nameOf(context), expected: typeof before === "string" ? before : "", version };
  };
  const kind = name === "read" ? "keyed" : name;
  return {
    ...common,
    plan,
    async run(of, context) {
      if (name === "read") {
        const label = `read ${context.runId} ${context.stepId}`;
        const work = async () => target.read(nameOf(context));
        const { value } = await operations.call({ process, port: "target", label, signal: context.signal }, work);
        return { kind: "done", output: { ok: true, value } };
      }
      const write = effect === "set" ? { write: { ...writeOf(context, of), to: context.runId } } : {};
      await send(name, context, (request) => ({ ...request, kind, ...write }));
      return { kind: "done", output: { ok: true } };
    },
    ...((effect === "probed" || effect === "set") && {
      async probe(_plan: Plan, context: ActionContext) {
        const label = `probe ${context.runId} ${context.stepId}`;
        const work = async () => target.has(context.runId, context.stepId);
        const has = await operations.call({ process, port: "target", label, signal: context.signal }, work);
        return has ? { kind: "applied" as const, output: { ok: true } } : { kind: "not_applied" as const };
      },
    }),
    ...(effect === "set" && {
      async undo(of: Plan, _output: unknown, context: ActionContext) {
        const { expected, ...rest } = writeOf(context, of);
        await send("undo", context, (request) => ({ ...request, kind: "undo", write: { ...rest, expected: context.runId, to: expected } }));
      },
    }),
  };
}
