import { z } from "zod";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import { type PromptLayout, promptLayoutSchema, variablesOf } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { type NewPromptVersion, type PromptVersion, promptOrigins } from "../../../packages/sdk/src/wire/prompts.ts";
import { layoutHash } from "../../llm/prompts/prompt.ts";

const ours = z.object({
  layout: promptLayoutSchema,
  origin: z.enum(promptOrigins),
  parent: z.number().int().optional(),
  note: z.string(),
  evidence: jsonSchema.optional(),
  createdAt: z.number(),
  createdBy: z.string(),
});

const base = z.looseObject({
  name: z.string(),
  version: z.int().min(1),
  labels: z.array(z.string()),
  /** Whatever the project keeps there; our part is below `runbookd`. */
  config: z.unknown().optional(),
  commitMessage: z.string().nullish(),
  createdAt: z.string().nullish(),
});

/** One version as Langfuse tells it: a text, or a list of chat messages, in which placeholders are left out. */
export const langfusePromptSchema = z.union([
  base.extend({ type: z.literal("text"), prompt: z.string() }),
  base.extend({
    type: z.literal("chat"),
    prompt: z.array(z.looseObject({ role: z.string().optional(), content: z.string().optional() })),
  }),
]);

/** See {@link langfusePromptSchema}. */
export type LangfusePrompt = z.output<typeof langfusePromptSchema>;

/**
 * A version for Langfuse: its system and user layers as chat messages, so that people read it there, and everything that Langfuse has no place for (tools,
 * stability, markers, evidence) in `config.runbookd`.
 */
export function toLangfuse(
  name: string,
  version: NewPromptVersion,
  { createdAt, createdBy }: Pick<PromptVersion, "createdAt" | "createdBy">,
): object {
  const { layout, origin, parent, note, evidence } = version;
  const messages = layout.layers.filter(({ role, render }) => role !== "tools" && render !== "");
  return {
    name,
    type: "chat",
    // A chat prompt needs a message, and one of tools alone has none.
    prompt: messages.length === 0 ? [{ role: "system", content: "" }] : messages.map(({ role, render }) => ({ role, content: render })),
    labels: [],
    commitMessage: note === "" ? `Made by ${createdBy}` : note,
    config: {
      runbookd: {
        layout,
        origin,
        note,
        createdAt,
        createdBy,
        ...(parent !== undefined && { parent }),
        ...(evidence !== undefined && { evidence }),
      },
    },
  };
}

/** A version of Langfuse as ours. One that was made in Langfuse itself has a layer a message, and no markers: what it says can be restructured, what is volatile is seen later. */
export function fromLangfuse(prompt: LangfusePrompt): PromptVersion {
  const parsed = z.object({ runbookd: ours }).safeParse(prompt.config);
  const common = { prompt: prompt.name, version: prompt.version };
  if (parsed.success) {
    const { layout, ...metadata } = parsed.data.runbookd;
    return { ...common, ...metadata, layout, hash: layoutHash(layout) };
  }
  const layout = layoutOf(prompt);
  const createdAt = Date.parse(prompt.createdAt ?? "");
  return {
    ...common,
    layout,
    hash: layoutHash(layout),
    origin: "human",
    note: (prompt.commitMessage ?? "").slice(0, 300),
    createdAt: Number.isNaN(createdAt) ? 0 : createdAt,
    createdBy: "Langfuse",
  };
}

function layoutOf(prompt: LangfusePrompt): PromptLayout {
  const messages =
    prompt.type === "text"
      ? [{ role: "user", content: prompt.prompt }]
      : prompt.prompt.filter(({ content }) => content !== undefined && content !== "");
  const roles = messages.map(({ role, content = "" }) => ({ role: role === "system" ? ("system" as const) : ("user" as const), content }));
  // The provider reads what is the system's first, wherever it stands in the list.
  const ordered = [...roles.filter(({ role }) => role === "system"), ...roles.filter(({ role }) => role === "user")];
  const layers = ordered.map(({ role, content }, index) => ({
    key: `${role}_${index + 1}`,
    role,
    stability: variablesOf(content).length === 0 ? "static" : "ticket",
    render: content,
  }));
  return promptLayoutSchema.parse({
    layers: layers.length === 0 ? [{ key: "user_1", role: "user", stability: "static", render: "" }] : layers,
    breakpoints: [],
  });
}
