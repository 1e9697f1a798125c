import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import { canonicalJson, type Json, jsonSchema, sha256 } from "../core/json.ts";
import { type PromptLayout, promptLayoutSchema } from "../core/prompt-layout.ts";

/** Who made a version: a person, or the restructuring of a runbook. */
export const promptOrigins = ["human", "optimizer"] as const;

/** See {@link promptOrigins}. */
export type PromptOrigin = (typeof promptOrigins)[number];

/** The version that applications get. */
export const productionLabel = "production";

/** The version that a share of the tickets gets while it is being measured. */
export const canaryLabel = "canary";

/** A label: a name that points at one version. `latest` is always the newest version and cannot be moved. */
export const promptLabelSchema = z
  .string()
  .regex(/^[a-z0-9_.-]{1,36}$/, "a label of 1 to 36 letters a-z, digits and _ . -")
  .refine((label) => label !== "latest", "`latest` is the newest version and cannot be moved");

const mostEvidenceBytes = 65_536;

/** A version before it has a number; see {@link NewPromptVersion}. */
export const newPromptVersionSchema = z.strictObject({
  layout: promptLayoutSchema,
  origin: z.enum(promptOrigins).default("human"),
  /** The version that it was made from. */
  parent: z.int().min(1).optional(),
  note: z.string().trim().max(300).default(""),
  /** What speaks for it, e.g. the optimizer's prediction and diff; at most 64 KiB of JSON. */
  evidence: jsonSchema.refine((value) => JSON.stringify(value).length <= mostEvidenceBytes, "evidence of at most 64 KiB").optional(),
});

/** What is handed in to become a version. */
export type NewPromptVersion = z.output<typeof newPromptVersionSchema>;

/** One version of a prompt. Nothing in it ever changes. */
export interface PromptVersion {
  readonly prompt: string;
  /** From 1, without reuse. */
  readonly version: number;
  readonly layout: PromptLayout;
  /** Of the layout alone: versions with equal layouts have equal hashes. */
  readonly hash: string;
  readonly origin: PromptOrigin;
  readonly parent?: number | undefined;
  readonly note: string;
  readonly evidence?: Json | undefined;
  readonly createdAt: Instant;
  readonly createdBy: string;
}

/** What moves about a prompt: its newest version and where its labels point. */
export interface PromptState {
  readonly name: string;
  readonly latest: number;
  readonly labels: { readonly [label: string]: number };
}

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
export type LabelReply =
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
  moveLabel(move: LabelMove): Promise<LabelReply>;
}

/** Hash of a layout; what is left to a default and what says the default are equal. */
export function layoutHash(layout: PromptLayout): string {
  return sha256(canonicalJson(layout));
}

/** What becomes of a version, told from the labels alone. */
export function statusOf(version: number, labels: PromptState["labels"]): "draft" | "canary" | "production" | "retired" {
  const production = labels[productionLabel];
  if (production === version) return "production";
  if (labels[canaryLabel] === version) return "canary";
  return production !== undefined && version < production ? "retired" : "draft";
}
