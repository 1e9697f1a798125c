import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type { PromptLayout } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import type { NewPromptVersion, PromptState, PromptVersion, PromptVersionStatus } from "../../../packages/sdk/src/wire/prompts.ts";
import { sha256 } from "../../core/json.ts";

/** The version that applications get. */
export const productionLabel = "production";

/** The version that a share of the tickets gets while it is being measured. */
export const canaryLabel = "canary";

/** A move of one label from exactly what was seen to something else; null stands for "points nowhere". */
export interface LabelMove {
  readonly prompt: string;
  readonly label: string;
  readonly expected: number | null;
  readonly to: number | null;
  readonly by: string;
}

/**
 * `moved` holds what an undo needs. `conflict`: the label points elsewhere and nothing was changed.
 * `not_found`: there is no such prompt or version. `unsupported`: this store cannot do it, ever.
 */
export type LabelMoveResult =
  | { readonly kind: "moved"; readonly before: number | null; readonly after: number | null }
  | { readonly kind: "conflict"; readonly present: number | null }
  | { readonly kind: "not_found" }
  | { readonly kind: "unsupported"; readonly reason: string };

/** Prompts with their versions and labels. Whatever cannot be reached rejects with an error that says so. */
export interface PromptStore {
  /** Makes the next version; a layout that some version has already answers that version, so that asking twice is harmless. */
  create(prompt: string, version: NewPromptVersion, by: string): Promise<PromptVersion>;
  version(prompt: string, version: number): Promise<PromptVersion | undefined>;
  read(prompt: string): Promise<PromptState | undefined>;
  /** The newest `limit` versions, newest first; empty for a prompt that does not exist. */
  versions(prompt: string, limit: number): Promise<readonly PromptVersion[]>;
  /** Names in alphabetical order; `after` is the last name of the page before. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly PromptState[]>;
  /** Compare-and-set of one label. */
  moveLabel(move: LabelMove): Promise<LabelMoveResult>;
}

/** Hash of a layout; what is left to a default and what says the default are equal. */
export function layoutHash(layout: PromptLayout): string {
  return sha256(canonicalJson(layout));
}

/** What becomes of a version, told from the labels alone. */
export function statusOf(version: number, labels: PromptState["labels"]): PromptVersionStatus {
  const production = labels[productionLabel];
  if (production === version) return "production";
  if (labels[canaryLabel] === version) return "canary";
  return production !== undefined && version < production ? "retired" : "draft";
}
