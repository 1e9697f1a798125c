import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import type { ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import { failureOf } from "../../llm/batches/provider/provider-trouble.ts";
import { type ListedModel, type ModelSource, unreadableName } from "../../llm/models/model-listing.ts";
import { wordsOf } from "./message-shapes.ts";
import { openAnthropic } from "./open-anthropic.ts";

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const tokens = z.int().min(1);
const support = z.object({ supported: z.boolean() }).nullish();

const entryShape = z.object({
  id: z.string().min(1).max(120),
  lifecycle: z.enum(["active", "deprecated", "retired"]),
  deprecated_at: instant.nullish(),
  retires_at: instant.nullish(),
  max_input_tokens: tokens.nullish(),
  max_tokens: tokens.nullish(),
  capabilities: z
    .object({ batch: support, thinking: support, image_input: support, pdf_input: support, structured_outputs: support })
    .nullish(),
});

/** Entries of one page, and the most of all pages: a server that pages forever must not fill the memory. */
const pageSize = 1000;
const maxEntries = 5000;

/** Anthropic's list of models, retired ones among them. https://platform.claude.com/docs/en/api/models/list */
export function createAnthropicModels(access: ProviderAccess, clock: Pick<Clock, "now">): ModelSource {
  let opened: ReturnType<typeof openAnthropic> | undefined;
  const open = () => (opened ??= openAnthropic(access));
  return {
    provider: "anthropic",
    async list(signal) {
      const models: ListedModel[] = [];
      const unreadable: string[] = [];
      const client = await open();
      try {
        const entries = client.models.list({ limit: pageSize, lifecycle: ["active", "deprecated", "retired"] }, { signal });
        for await (const entry of entries) {
          const parsed = entryShape.safeParse(entry);
          if (parsed.success) models.push(modelOf(parsed.data));
          else unreadable.push(unreadableName(entry, models.length + unreadable.length + 1));
          if (models.length + unreadable.length >= maxEntries) break;
        }
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw failureOf(error, { provider: "anthropic", kind: "read", words: wordsOf(errorField(error, "error")) }, clock.now());
      }
      return { models, unreadable };
    },
  };
}

function modelOf({ id, lifecycle, capabilities, ...entry }: z.output<typeof entryShape>): ListedModel {
  const has = (name: keyof NonNullable<typeof capabilities>) => capabilities?.[name]?.supported;
  const [batch, thinking, images] = [has("batch"), has("thinking"), has("image_input")];
  const [documents, structured] = [has("pdf_input"), has("structured_outputs")];
  return {
    model: id,
    lifecycle,
    ...(typeof entry.deprecated_at === "number" && { deprecatedAt: entry.deprecated_at }),
    ...(typeof entry.retires_at === "number" && { retiresAt: entry.retires_at }),
    ...(typeof entry.max_input_tokens === "number" && { contextTokens: entry.max_input_tokens }),
    ...(typeof entry.max_tokens === "number" && { outputTokens: entry.max_tokens }),
    features: {
      // The list names neither: the Messages API takes tools and cache markers for every model.
      tools: true,
      caching: true,
      ...(batch !== undefined && { batch }),
      ...(thinking !== undefined && { thinking }),
      ...(images !== undefined && { images }),
      ...(documents !== undefined && { documents }),
      ...(structured !== undefined && { structured_outputs: structured }),
    },
  };
}
