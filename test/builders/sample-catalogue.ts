import { z } from "zod";
import type { Effect } from "../../packages/sdk/src/wire/plans.ts";
import type { ActionCatalogue, ActionSpec } from "../../src/core/action.ts";

const duration = z
  .string()
  .regex(/^\d+(?:ms|s|m|h)$/, { message: "must be a duration" })
  .meta({ format: "duration" });

function spec(
  name: string,
  effect: Effect | ActionSpec["effectOf"],
  parameters: z.ZodObject,
  result: readonly string[],
  probes = false,
): ActionSpec {
  return {
    name,
    summary: `${name}.`,
    parameters,
    result: Object.fromEntries(result.map((field) => [field, field])),
    effectOf: typeof effect === "function" ? effect : () => effect,
    risk: effect === "read" ? "none" : "lowers",
    probes,
    undoes: probes,
  };
}

const specs: readonly ActionSpec[] = [
  spec(
    "pause",
    "set",
    z.strictObject({ budget: z.string(), reason: z.string().optional(), for: duration.optional() }),
    ["paused", "running"],
    true,
  ),
  spec("open", "set", z.strictObject({ budget: z.string() }), ["paused"], true),
  spec("look", "read", z.strictObject({}), ["value", "count"]),
  spec("ask-prometheus", "read", z.strictObject({ query: z.string().meta({ format: "promql" }) }), ["value"]),
  spec(
    "limit",
    "set",
    z.strictObject({ concurrency: z.number().int().positive().optional(), scale: z.number().lt(1).default(0.5) }),
    ["lowered"],
    true,
  ),
  spec("fire", "once", z.strictObject({ mode: z.enum(["gently", "hard"]).default("gently") }), ["done"]),
  spec("send-report", "keyed", z.strictObject({ to: z.string().optional() }), ["message_id"]),
];

/** A small catalogue with one action of each kind, for tests of documents. */
export const sampleCatalogue: ActionCatalogue = {
  names: specs.map((one) => one.name),
  find: (name) => specs.find((one) => one.name === name),
};
