import type { PromptRollout, PromptVersion, ServedPrompt, ServedVersion } from "../../../packages/sdk/src/wire/prompts.ts";
import type { HoneytokenStore } from "./honeytoken.ts";
import { type PromptStore, productionLabel } from "./prompt.ts";
import type { PromptRolloutStore } from "./prompt-rollout-store.ts";

/** Name of a prompt's document among those that applications follow. */
export function promptDocument(prompt: string): string {
  return `prompt/${prompt}`;
}

/** Stores that are read to serve a prompt. */
export interface ServedPromptStores {
  readonly prompts: Pick<PromptStore, "read" | "version">;
  readonly rollouts: Pick<PromptRolloutStore, "read">;
  readonly honeytokens?: Pick<HoneytokenStore, "read">;
}

/** Reads what is served now; undefined when there is no such prompt or nothing is labelled `production`. A canary whose version is gone is left out. */
export async function readServed(
  prompt: string,
  { prompts, rollouts, honeytokens }: ServedPromptStores,
): Promise<ServedPrompt | undefined> {
  const number = (await prompts.read(prompt))?.labels[productionLabel];
  const production = number === undefined ? undefined : await prompts.version(prompt, number);
  if (production === undefined) return undefined;
  const rollout = await rollouts.read(prompt);
  const version = rollout === null ? undefined : await prompts.version(prompt, rollout.version);
  const honeytoken = await honeytokens?.read(prompt);
  return {
    prompt,
    ...(honeytoken !== undefined && { honeytoken }),
    production: served(production),
    ...(rollout === null || version === undefined ? {} : { canary: { ...served(version), ...trialOf(rollout) } }),
  };
}

function trialOf({ share, salt, rollout }: PromptRollout): Omit<PromptRollout, "version"> {
  return { share, salt, ...(rollout !== undefined && { rollout }) };
}

function served({ version, layout }: PromptVersion): ServedVersion {
  return { version, layout };
}
