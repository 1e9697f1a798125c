import { z } from "zod";
import { promptLayoutSchema } from "../core/prompt-layout.ts";
import { type CanaryStore, isInCanary } from "./canary.ts";
import { type PromptStore, type PromptVersion, productionLabel } from "./prompt.ts";

const servedVersion = z.object({ version: z.number().int().min(1), layout: promptLayoutSchema });

/** See {@link ServedPrompt}. */
export const servedPromptSchema = z.object({
  prompt: z.string(),
  production: servedVersion,
  canary: servedVersion.extend({ share: z.number().min(0).max(1), salt: z.string() }).optional(),
});

/** What an application is given of a version. */
export type ServedVersion = z.output<typeof servedVersion>;

/** What applications are given of one prompt: the labelled version, and the one of a share of the tickets. */
export type ServedPrompt = z.output<typeof servedPromptSchema>;

/** What one ticket gets; `variant` goes into its usage reports. */
export interface PromptAssignment {
  readonly version: ServedVersion;
  readonly variant: "baseline" | "canary";
}

/** The version of one ticket: always the same answer while nothing is promoted, and a growing share takes none back. */
export function assignPrompt({ production, canary }: ServedPrompt, ticketId: string): PromptAssignment {
  if (canary !== undefined && isInCanary(canary, ticketId)) return { version: canary, variant: "canary" };
  return { version: production, variant: "baseline" };
}

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
