import type { Redis } from "ioredis";
import { createLangfusePrompts } from "../integrations/langfuse/create-langfuse-prompts.ts";
import { withLabelChanges } from "../llm/changes/change-log.ts";
import type { PromptStore } from "../llm/prompts/prompt.ts";
import { createPromptStore } from "../llm/prompts/redis-store.ts";
import { createBoundedSender, defaultRequestLimits } from "../platform/requests/bounded-request.ts";
import type { Runtime } from "./runtime.ts";

/** Prompts in Langfuse when it is configured, else in Redis. */
export function openPrompts({ config, clock, log, closers, changeRecorder }: Runtime, redis: Redis): PromptStore {
  if (config.langfuse === undefined) return withLabelChanges(createPromptStore({ redis, clock }), changeRecorder);
  const sender = createBoundedSender(defaultRequestLimits, { clock });
  closers.add("langfuse client", async () => sender.close());
  return withLabelChanges(createLangfusePrompts(sender, config.langfuse, { clock, log }), changeRecorder);
}
