import type { PromptBlock } from "./prompt-blocks.ts";

/** What is said about a request beside the one before it; null is "no divergence". */
export type CacheDiagnostics = {
  readonly cache_miss_reason: { readonly type: string; readonly cache_missed_input_tokens: number | null };
} | null;

interface Remembered {
  readonly model: string;
  readonly blocks: readonly PromptBlock[];
}

/** Compares requests with earlier ones by the message that answered them. */
export interface DiagnosticsLog {
  /** `previousId` null: there is nothing to compare with, and nothing diverges. */
  compare(previousId: string | null, request: Remembered): CacheDiagnostics;
  remember(messageId: string, request: Remembered): void;
}

/** Beyond these the oldest are forgotten, as the provider forgets after a while. */
const maxRemembered = 5000;

/**
 * Says where a prompt left the one before it: model, tools, system or messages, whichever comes first.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function createDiagnosticsLog(): DiagnosticsLog {
  const entries = new Map<string, Remembered>();
  return {
    compare(previousId, { model, blocks }) {
      if (previousId === null) return null;
      const before = entries.get(previousId);
      if (before === undefined) return missed("previous_message_not_found", null);
      const total = before.blocks.at(-1)?.prefixTokens ?? 0;
      if (before.model !== model) return missed("model_changed", total);
      const at = before.blocks.findIndex((block, index) => blocks[index]?.prefixHash !== block.prefixHash);
      if (at < 0) return null;
      const section = before.blocks[at]?.path.split(".")[0] ?? "messages";
      return missed(`${section}_changed`, total - (before.blocks[at - 1]?.prefixTokens ?? 0));
    },
    remember(messageId, request) {
      entries.set(messageId, request);
      const oldest = entries.keys().next();
      if (entries.size > maxRemembered && oldest.done !== true) entries.delete(oldest.value);
    },
  };
}

function missed(type: string, tokens: number | null): CacheDiagnostics {
  return { cache_miss_reason: { type, cache_missed_input_tokens: tokens } };
}
