import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";

/** How a model is written. */
export const modelRefGrammar = "<provider>/<model>, e.g. anthropic/claude-sonnet-4-5";

/** Reads `<provider>/<model>`; undefined when it is not that. The provider ends at the first slash, as some models have one in their name. */
export function parseModelRef(text: string): ModelRef | undefined {
  const slash = text.indexOf("/");
  return slash < 1 || slash === text.length - 1 ? undefined : { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}

/** The form that {@link parseModelRef} reads. */
export function formatModelRef({ provider, model }: ModelRef): string {
  return `${provider}/${model}`;
}

/** Whether both name the same model of the same provider, to the letter. */
export function isSameRef(one: ModelRef, other: ModelRef): boolean {
  return one.provider === other.provider && one.model === other.model;
}
