import type { z } from "zod";
import type { Effect } from "../../packages/sdk/src/wire/plans.ts";
import type { Action, ActionSpec, BoundAction, Risk } from "../core/action.ts";

/** What an action does once its parameters and its ports are there. */
export type ActionBehaviour = Pick<BoundAction, "plan" | "run" | "probe" | "undo"> & {
  /** When the risk depends on the parameters; the spec's risk is the highest. */
  readonly risk?: Risk;
  /** When they depend on more than the parameters, such as the configuration; the spec's are the dearest. */
  readonly effect?: Effect;
  readonly timeoutMs?: number;
};

/** One file, one action: data plus one function that closes over typed parameters and the ports it needs. */
export interface ActionDefinition<Schema extends z.ZodObject, Ports> {
  readonly name: string;
  readonly summary: string;
  readonly parameters: Schema;
  readonly result: { readonly [field: string]: string };
  /** A function when the class depends on the parameters. */
  readonly effect: Effect | ActionSpec["effectOf"];
  readonly risk: Risk;
  /** Targets that it raises, where its parameters `budget`, `prompt`, `route` and `batch` do not name them. */
  readonly targetsOf?: NonNullable<ActionSpec["targetsOf"]>;
  /** Time limit of one attempt in milliseconds, unless the step names another. */
  readonly timeoutMs: number;
  /** Whether the behaviour has a `probe`, and an `undo`; the registry's test proves that these say the truth. */
  readonly probes: boolean;
  readonly undoes: boolean;
  behave(parameters: z.output<Schema>, ports: Ports): ActionBehaviour;
}

/** A definition whose parameter type is closed over: what the registry lists. */
export interface DefinedAction<Ports> {
  readonly spec: ActionSpec;
  create(ports: Ports): Action;
}

/** Closes over the parameter type of a definition, so that outside its own file an action has no generic. */
export function defineAction<Schema extends z.ZodObject, Ports>(definition: ActionDefinition<Schema, Ports>): DefinedAction<Ports> {
  const { effect } = definition;
  const spec: ActionSpec = {
    name: definition.name,
    summary: definition.summary,
    parameters: definition.parameters,
    result: definition.result,
    effectOf: typeof effect === "function" ? effect : () => effect,
    risk: definition.risk,
    targetsOf: definition.targetsOf ?? ((parameters) => (definition.risk === "raises" ? namedTargets(parameters) : [])),
    probes: definition.probes,
    undoes: definition.undoes,
  };
  return {
    spec,
    create: (ports) => ({
      ...spec,
      bind(parameters) {
        const parsed = definition.parameters.safeParse(parameters ?? {});
        if (!parsed.success) return { ok: false, issues: parsed.error.issues.map(describeIssue) };
        const { risk, effect: specificEffect, timeoutMs, ...behaviour } = definition.behave(parsed.data, ports);
        return {
          ok: true,
          action: {
            name: spec.name,
            effect: specificEffect ?? spec.effectOf(parsed.data),
            risk: risk ?? spec.risk,
            timeoutMs: timeoutMs ?? definition.timeoutMs,
            ...behaviour,
          },
        };
      },
    }),
  };
}

/** The ids that parameters are called after. */
function namedTargets(parameters: { readonly [key: string]: unknown }): readonly string[] {
  return ["budget", "prompt", "route", "batch"].flatMap((kind) =>
    typeof parameters[kind] === "string" ? [`${kind}/${parameters[kind]}`] : [],
  );
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
