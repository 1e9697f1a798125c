import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import type { ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import { failureOf } from "../../llm/batches/provider/provider-trouble.ts";
import { type ListedModel, type ModelSource, unreadableName } from "../../llm/models/model-listing.ts";
import { wordsOf } from "./batch-shapes.ts";
import { openOpenAi } from "./open-openai.ts";

const entryShape = z.object({
  id: z.string().min(1).max(120),
  /** Null: no date is announced. Absent in lists of older servers and of those that only speak alike. */
  shutdown_date: z.iso
    .date()
    .transform((text) => Date.parse(text))
    .nullish(),
});

const maxEntries = 5000;

/**
 * OpenAI's list of models: which there are and, where the list has it, when they shut down. Nothing else is in it; the table of models says the rest.
 * https://developers.openai.com/api/reference/resources/models/methods/list
 */
export function createOpenAiModels(access: ProviderAccess, clock: Pick<Clock, "now">): ModelSource {
  let opened: ReturnType<typeof openOpenAi> | undefined;
  const open = () => (opened ??= openOpenAi(access));
  return {
    provider: "openai",
    async list(signal) {
      const models: ListedModel[] = [];
      const unreadable: string[] = [];
      const { client } = await open();
      try {
        for await (const entry of client.models.list({ signal })) {
          const parsed = entryShape.safeParse(entry);
          if (parsed.success) models.push(modelOf(parsed.data));
          else unreadable.push(unreadableName(entry, models.length + unreadable.length + 1));
          if (models.length + unreadable.length >= maxEntries) break;
        }
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw failureOf(error, { provider: "openai", kind: "read", words: wordsOf(errorField(error, "error")) }, clock.now());
      }
      return { models, unreadable };
    },
  };
}

function modelOf({ id, shutdown_date: retiresAt }: z.output<typeof entryShape>): ListedModel {
  if (retiresAt === undefined) return { model: id, features: {} };
  return retiresAt === null
    ? { model: id, lifecycle: "active", features: {} }
    : { model: id, lifecycle: "deprecated", retiresAt, features: {} };
}
