import { z } from "zod";
import type { Plan } from "../../packages/sdk/src/wire/plans.ts";
import type { Action } from "../../src/core/action.ts";
import { StepFailure } from "../../src/core/failure.ts";

const parametersSchema = z.strictObject({ thing: z.string(), field: z.string() });

/** Sets a value of the counting target to the run's id, by compare-and-set, and takes it back in the same way. */
export function createSwitchAction(target: string): Action {
  const write = async (
    kind: "set" | "undo",
    context: { runId: string; stepId: string; signal: AbortSignal },
    write: object,
  ): Promise<void> => {
    const body = JSON.stringify({ kind, run: context.runId, step: context.stepId, ...write });
    const reply = await fetch(`${target}/value`, { method: "POST", body, signal: context.signal });
    if (!reply.ok)
      throw new StepFailure({ reason: "refused_by_target", message: "Somebody else changed the value meanwhile.", applied: "no" });
  };
  return {
    name: "switch",
    summary: "Sets a value of the counting target.",
    parameters: parametersSchema,
    result: { ok: "Whether it was set" },
    effectOf: () => "set",
    risk: "raises",
    probes: false,
    undoes: true,
    bind(parameters) {
      const { thing, field } = parametersSchema.parse(parameters);
      const name = `${thing} ${field}`;
      return {
        ok: true,
        action: {
          name: "switch",
          effect: "set",
          risk: "raises",
          timeoutMs: 3000,
          async plan(context) {
            const reply = await fetch(`${target}/value?name=${encodeURIComponent(name)}`, { signal: context.signal });
            const { value } = z.object({ value: z.string() }).parse(await reply.json());
            const change = { target: `thing/${thing}`, field, before: value, after: context.runId };
            return { summary: `Set ${name}`, targets: [`thing/${thing}`], changes: [change], reversible: true, data: {} };
          },
          async run(plan, context) {
            await write("set", context, { name, ...valuesOf(plan) });
            return { kind: "done", output: { ok: true } };
          },
          async undo(plan, _output, context) {
            const { expected: before, to: after } = valuesOf(plan);
            await write("undo", context, { name, expected: after, to: before });
          },
        },
      };
    },
  };
}

/** A step that never works. */
export const refuseAction: Action = {
  name: "refuse",
  summary: "Is always refused.",
  parameters: z.strictObject({}),
  result: {},
  effectOf: () => "set",
  risk: "lowers",
  probes: false,
  undoes: false,
  bind: () => ({
    ok: true,
    action: {
      name: "refuse",
      effect: "set",
      risk: "lowers",
      timeoutMs: 3000,
      plan: async () => ({ summary: "Is refused", targets: ["thing/none"], changes: [], reversible: true, data: {} }),
      run: async () => {
        throw new StepFailure({ reason: "refused_by_target", message: "It never works.", applied: "no" });
      },
    },
  }),
};

function valuesOf({ changes: [change] }: Plan): { readonly expected: string; readonly to: string } {
  return z.object({ expected: z.string(), to: z.string() }).parse({ expected: change?.before, to: change?.after });
}
