import type { PromptVersion, ServedPrompt, ServedVersion } from "../../../packages/sdk/src/wire/prompts.ts";
import type { CanaryStore } from "./canary.ts";
import { type PromptStore, productionLabel } from "./prompt.ts";

/** Reads what is served now; undefined when there is no such prompt or nothing is labelled `production`. A canary whose version is gone is left out. */
export async function readServed(
  prompt: string,
  { prompts, canaries }: { readonly prompts: Pick<PromptStore, "read" | "version">; readonly canaries: Pick<CanaryStore, "read"> },
): Promise<ServedPrompt | undefined> {
  const number = (await prompts.read(prompt))?.labels[productionLabel];
  const production = number === undefined ? undefined : await prompts.version(prompt, number);
  if (production === undefined) return undefined;
  const canary = await canaries.read(prompt);
  const version = canary === null ? undefined : await prompts.version(prompt, canary.version);
  return {
    prompt,
    production: served(production),
    ...(canary === null || version === undefined ? {} : { canary: { ...served(version), share: canary.share, salt: canary.salt } }),
  };
}

function served({ version, layout }: PromptVersion): ServedVersion {
  return { version, layout };
}
