import { z } from "zod";
import type { Shape } from "./shape.ts";

/** How long a provider keeps a cache entry after its last use. Anthropic: 5m and 1h. OpenAI: 30m and 12h. */
export const cacheLifetimes = ["5m", "30m", "1h", "12h"] as const;

/** See {@link cacheLifetimes}. */
export type CacheLifetime = (typeof cacheLifetimes)[number];

/** A lifetime in milliseconds of real time. */
export const lifetimeMs: Readonly<Record<CacheLifetime, number>> = {
  "5m": 300_000,
  "30m": 1_800_000,
  "1h": 3_600_000,
  "12h": 43_200_000,
};

/** Where a layer stands, in the order in which a provider's cache sees it. A text that moves to another role has another authority. */
export const layerRoles = ["tools", "system", "user"] as const;

/** See {@link layerRoles}. @public */
export type LayerRole = (typeof layerRoles)[number];

/** For how long a layer's text stays the same: the order in which layers should stand. */
export const stabilities = ["static", "repo", "batch", "ticket", "turn", "request"] as const;

/** See {@link stabilities}. @public */
export type Stability = (typeof stabilities)[number];

/**
 * The layer that stands for the conversation so far: the application fills it, its render is empty. A marker behind it stands behind the last turn, and while
 * there is none yet behind the last layer before it.
 */
export const historyLayer = "history";

/** The layer behind everything else that holds clocks, ids and counters. @public */
export const runtimeContextLayer = "runtime_context";

const layerKey = z.string().regex(/^[a-z0-9_-]{1,40}$/, "a key of 1 to 40 letters a-z, digits, _ and -");

/** One layer of a prompt; see {@link PromptLayer}. */
export const promptLayerSchema = z.strictObject({
  key: layerKey,
  role: z.enum(layerRoles),
  stability: z.enum(stabilities),
  /** Template: `{{name}}` is replaced by the variable of that name. Tools: one JSON array, or one variable that holds it. */
  render: z.string().max(400_000),
  /** Rendered in canonical form: tools sorted by name, JSON with sorted keys, `\n` at ends of lines, no blanks at their ends. */
  canonical: z.boolean().default(false),
});

/** A cache marker behind a layer. */
export const layoutBreakpointSchema = z.strictObject({ afterLayer: layerKey, ttl: z.enum(cacheLifetimes) });

/** Layers in order and where the cache markers stand; see {@link PromptLayout}. Every fault is told. */
export const promptLayoutSchema = z
  .strictObject({ layers: z.array(promptLayerSchema).min(1).max(40), breakpoints: z.array(layoutBreakpointSchema).max(4).default([]) })
  .superRefine(({ layers, breakpoints }, context) => {
    const fault = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    const places = new Map(layers.map(({ key }, index) => [key, index]));
    for (const [index, layer] of layers.entries()) {
      if (places.get(layer.key) !== index) fault(["layers", index, "key"], `a second layer ${layer.key}; keys are unique`);
      const before = layers[index - 1];
      if (before !== undefined && layerRoles.indexOf(before.role) > layerRoles.indexOf(layer.role))
        fault(["layers", index, "role"], `${layer.role} stands behind ${before.role}; the order is ${layerRoles.join(", ")}`);
      if (layer.key === historyLayer && (layer.role !== "user" || layer.render !== ""))
        fault(["layers", index], `the layer ${historyLayer} has the role user and an empty render`);
    }
    let last = -1;
    let shortest = Number.POSITIVE_INFINITY;
    for (const [index, { afterLayer, ttl }] of breakpoints.entries()) {
      const place = places.get(afterLayer);
      if (place === undefined) fault(["breakpoints", index, "afterLayer"], `there is no layer ${afterLayer}`);
      else if (place <= last) fault(["breakpoints", index, "afterLayer"], "breakpoints follow the order of the layers, one a layer");
      if (lifetimeMs[ttl] > shortest) fault(["breakpoints", index, "ttl"], "a longer lifetime stands before a shorter one");
      last = place ?? last;
      shortest = Math.min(shortest, lifetimeMs[ttl]);
    }
  });

/** One layer: a piece of a prompt whose text changes as a whole and at its own pace. @public */
export type PromptLayer = Shape<typeof promptLayerSchema>;

/** A cache marker behind a layer. @public */
export type LayoutBreakpoint = Shape<typeof layoutBreakpointSchema>;

/** A prompt as layers in order, with its cache markers: what is versioned, restructured and rendered. @public */
export type PromptLayout = Shape<typeof promptLayoutSchema>;

/** A variable in a layer's template: `{{name}}`. */
export const variablePattern = /\{\{\s*([A-Za-z_]\w*)\s*\}\}/g;

/** Names of the variables that a template needs, each once, in order. */
export function variablesOf(render: string): readonly string[] {
  return [...new Set([...render.matchAll(variablePattern)].map(([, name]) => name ?? ""))];
}
