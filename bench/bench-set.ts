import { z } from "zod";
import { type DefinedAction, defineAction } from "../src/actions/define-action.ts";

/** A mutating action of class `set` on a target in memory: what remains is the cost of the machinery. */
export const benchSet: DefinedAction<{ readonly target: Map<string, number> }> = defineAction({
  name: "bench-set",
  summary: "Sets a value of a target in memory.",
  parameters: z.strictObject({ instance: z.string(), value: z.number().int() }),
  result: { value: "the value now" },
  effect: "set",
  risk: "lowers",
  timeoutMs: 5000,
  probes: false,
  undoes: false,
  behave: ({ instance, value }, { target }: { readonly target: Map<string, number> }) => ({
    plan: () =>
      Promise.resolve({
        summary: `Set ${instance} to ${value}`,
        targets: [`bench/${instance}`],
        changes: [{ target: `bench/${instance}`, field: "value", before: target.get(instance) ?? null, after: value }],
        reversible: false,
        data: { value },
      }),
    run() {
      target.set(instance, value);
      return Promise.resolve({ kind: "done", output: { value } });
    },
  }),
});
