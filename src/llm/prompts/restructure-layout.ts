import {
  historyLayer,
  type LayoutBreakpoint,
  layerRoles,
  type PromptLayer,
  type PromptLayout,
  promptLayoutSchema,
  runtimeContextLayer,
  type Stability,
  stabilities,
  variablesOf,
} from "../../../packages/sdk/src/wire/prompt-layout.ts";

/** What an analysis advises for one layout, told in the layout's own words. */
export interface LayoutAdvice {
  /** Everything in canonical form, tools in one order. */
  readonly canonical: boolean;
  /** Keys of layers whose volatile spans go behind everything else. */
  readonly volatile: readonly string[];
  /** How long each layer stays the same, as it was seen; absent: the order stays. */
  readonly stabilities?: ReadonlyMap<string, Stability>;
  readonly breakpoints: readonly LayoutBreakpoint[];
}

/** A layout as advised with one sentence for each change, or why it cannot be made without touching what the prompt says. */
export type Restructured =
  | { readonly ok: true; readonly layout: PromptLayout; readonly changes: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Words beside variables that still make a line data and no instruction. */
const labelWords = 8;

/** Whether a text is data with at most a short label: variables, and few words beside them. Moving it moves no instruction. */
export function isDataOnly(render: string): boolean {
  if (variablesOf(render).length === 0) return false;
  const words = render.replaceAll(/\{\{[^}]*\}\}/g, " ").match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.length <= labelWords && !render.trim().includes("\n");
}

/**
 * Whether a line is one value behind a label, as in `Current time: {{clock}}` or `<now>{{clock}}</now>`: where nothing else is said, nothing is asked of the model.
 * A short sentence around a variable may be an instruction.
 */
export function isLabelledValue(line: string): boolean {
  const [before = "", after = "", ...more] = line.split(/\{\{[^}]*\}\}/).map((text) => text.replaceAll(/<[^<>]*>/g, "").trim());
  return variablesOf(line).length === 1 && more.length === 0 && /^$|[:=]$/.test(before) && !/[\p{L}\p{N}]/u.test(after);
}

/**
 * Makes an advised change: canonical form, volatile lines cut out into one layer at the end, layers in the order of their stability within their roles, markers
 * placed anew. Text is moved and never rewritten; what cannot be cut out as a whole line of data is a fault. Pure.
 */
export function restructurePrompt(layout: PromptLayout, advice: LayoutAdvice): Restructured {
  const changes: string[] = [];
  const faults: string[] = [];
  let layers: readonly PromptLayer[] = layout.layers;

  const loose = layers.filter(({ canonical, key }) => !canonical && key !== historyLayer);
  if (advice.canonical && loose.length > 0) {
    layers = layers.map((layer) => (layer.key === historyLayer ? layer : { ...layer, canonical: true }));
    changes.push(`canonical form for ${loose.map(({ key }) => key).join(", ")}: tools by name, JSON with sorted keys`);
  }
  for (const key of advice.volatile) {
    const cut = cutLines(layers, key);
    if (typeof cut === "string") faults.push(cut);
    else {
      layers = cut.layers;
      changes.push(`${cut.lines.map((line) => JSON.stringify(line)).join(", ")} moves from ${key} to ${runtimeContextLayer}`);
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  if (advice.stabilities !== undefined) {
    const measuredStabilities = advice.stabilities;
    const ordered = orderLayers(layers.map((layer) => ({ ...layer, stability: measuredStabilities.get(layer.key) ?? layer.stability })));
    if (ordered.some(({ key }, index) => key !== layers[index]?.key)) changes.push(`order: ${ordered.map(({ key }) => key).join(", ")}`);
    layers = ordered;
  }
  const keys = new Set(layers.map(({ key }) => key));
  const lost = advice.breakpoints.filter(({ afterLayer }) => !keys.has(afterLayer));
  if (lost.length > 0) return { ok: false, faults: lost.map(({ afterLayer }) => `a marker behind ${afterLayer}, which is no layer`) };
  const place = new Map(layers.map(({ key }, index) => [key, index]));
  const breakpoints = advice.breakpoints.toSorted((a, b) => (place.get(a.afterLayer) ?? 0) - (place.get(b.afterLayer) ?? 0));
  const written = (list: readonly LayoutBreakpoint[]) => list.map(({ afterLayer, ttl }) => `${afterLayer} (${ttl})`).join(", ") || "none";
  if (written(breakpoints) !== written(layout.breakpoints))
    changes.push(`markers behind ${written(breakpoints)}; before: ${written(layout.breakpoints)}`);
  const parsed = promptLayoutSchema.safeParse({ layers, breakpoints });
  if (!parsed.success) return { ok: false, faults: parsed.error.issues.map(({ message }) => message) };
  return { ok: true, layout: parsed.data, changes };
}

/** The layers with the volatile lines of one in the runtime context, or why that cannot be done. */
function cutLines(
  layers: readonly PromptLayer[],
  key: string,
): { readonly layers: readonly PromptLayer[]; readonly lines: readonly string[] } | string {
  const layer = layers.find((one) => one.key === key);
  if (layer === undefined) return `${key} is no layer; only what was rendered from layers can be moved`;
  if (layer.role === "tools") return `${key} holds tools; a volatile value in a tool's definition is the application's to take out`;
  if (key === runtimeContextLayer) return { layers, lines: [] };
  const lines = layer.render.split("\n");
  const volatile = isDataOnly(layer.render) ? lines.filter((line) => line.trim() !== "") : lines.filter((line) => isDataOnly(line));
  const stuck = variablesOf(lines.filter((line) => !volatile.includes(line)).join("\n"));
  if (volatile.length === 0) return `${key}: no line is data alone, so its volatile part cannot be moved without rewriting the text`;
  // Which of several variables changes cannot be told from hashes.
  if (stuck.length > 0) return `${key}: ${stuck.join(", ")} stands inside sentences; move what changes into a layer of its own`;
  const remainingText = lines.filter((line) => !volatile.includes(line)).join("\n");
  const context = layers.find((one) => one.key === runtimeContextLayer);
  const inside = context === undefined ? [] : context.render.split("\n").slice(1, -1);
  const moved: PromptLayer = {
    key: runtimeContextLayer,
    role: "user",
    stability: "request",
    render: [`<${runtimeContextLayer}>`, ...inside, ...volatile, `</${runtimeContextLayer}>`].join("\n"),
    canonical: true,
  };
  const others = layers.filter((one) => one.key !== key && one.key !== runtimeContextLayer);
  const remainingLayers =
    remainingText.trim() === ""
      ? others
      : layers.flatMap((one) => (one.key === key ? [{ ...one, render: remainingText }] : others.includes(one) ? [one] : []));
  return { layers: [...remainingLayers, moved], lines: volatile.map((line) => line.trim()) };
}

/** Within each role by stability; what is equally stable keeps its order, and the runtime context is last. */
function orderLayers(layers: readonly PromptLayer[]): readonly PromptLayer[] {
  const rank = ({ key, stability }: PromptLayer) =>
    key === runtimeContextLayer ? stabilities.length : key === historyLayer ? stabilities.indexOf("turn") : stabilities.indexOf(stability);
  return layers.toSorted((a, b) => layerRoles.indexOf(a.role) - layerRoles.indexOf(b.role) || rank(a) - rank(b));
}
