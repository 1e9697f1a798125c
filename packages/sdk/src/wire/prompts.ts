import { z } from "zod";
import { jsonSchema } from "./json.ts";
import { rolloutIdSchema } from "./names.ts";
import { promptLayoutSchema } from "./prompt-layout.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Who made a version: a person, or the restructuring of a runbook. */
export const promptOrigins = ["human", "optimizer"] as const;

/** A label: a name that points at one version. `latest` is always the newest version and cannot be moved. */
export const promptLabelSchema = z
  .string()
  .regex(/^[a-z0-9_.-]{1,36}$/, "a label of 1 to 36 letters a-z, digits and _ . -")
  .refine((label) => label !== "latest", "`latest` is the newest version and cannot be moved");

const maxEvidenceBytes = 65_536;

/** A version before it has a number; see {@link NewPromptVersion}. */
export const newPromptVersionSchema = z.strictObject({
  layout: promptLayoutSchema,
  origin: z.enum(promptOrigins).default("human"),
  /** The version that it was made from. */
  parent: z.int().min(1).optional(),
  note: z.string().trim().max(300).default(""),
  /** What speaks for it, e.g. the optimizer's prediction and diff; at most 64 KiB of JSON. */
  evidence: jsonSchema.refine((value) => JSON.stringify(value).length <= maxEvidenceBytes, "evidence of at most 64 KiB").optional(),
});

/** What is handed in to become a version. */
export type NewPromptVersion = Shape<typeof newPromptVersionSchema>;

/** One version of a prompt. Nothing in it ever changes. */
export const promptVersionSchema = z
  .object({
    prompt: z.string(),
    /** From 1, without reuse. */
    version: z.number(),
    layout: promptLayoutSchema,
    /** Of the layout alone: versions with equal layouts have equal hashes. */
    hash: z.string(),
    origin: z.enum(promptOrigins),
    parent: z.number().optional(),
    note: z.string(),
    evidence: jsonSchema.optional(),
    createdAt: instantSchema,
    createdBy: z.string(),
  })
  .meta({ id: "PromptVersion" });

/** See {@link promptVersionSchema}. */
export type PromptVersion = Shape<typeof promptVersionSchema>;

/** What moves about a prompt: its newest version and where its labels point. */
export const promptStateSchema = z.object({ name: z.string(), latest: z.number(), labels: z.record(z.string(), z.number()) });

/** See {@link promptStateSchema}. */
export type PromptState = Shape<typeof promptStateSchema>;

/** A share of tickets that gets another version; see {@link PromptRollout}. */
export const promptRolloutSchema = z.strictObject({
  version: z.int().min(1),
  /** Of the tickets, from 0 to 1. */
  share: z.number().min(0).max(1),
  /** Mixed into the hash, so that two canaries do not meet the same tickets. */
  salt: z.string().min(1).max(100),
  /** The rollout that set it; absent when a person did. */
  rollout: rolloutIdSchema.exactOptional(),
});

/** Which version a share of the tickets gets. The same ticket stays in as the share grows: a bigger share holds every smaller one. */
export type PromptRollout = Shape<typeof promptRolloutSchema>;

const honeytokenSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** Whether a prompt's honeytoken was made by this request. */
export const promptHoneytokenSchema = z.object({
  prompt: z.string(),
  made: z.boolean(),
  /** The honeytoken that was made; one that was there already is not told. */
  honeytoken: z.exactOptional(honeytokenSchema),
});

/** See {@link promptHoneytokenSchema}. */
export type PromptHoneytoken = Shape<typeof promptHoneytokenSchema>;

const servedVersionSchema = z.object({ version: z.number(), layout: promptLayoutSchema });

/** What applications are given of one prompt: the labelled version, and the one of a share of the tickets. */
export const servedPromptSchema = z.object({
  prompt: z.string(),
  /** A made-up secret to plant in the prompt: a text that holds it shows that the prompt has left. */
  honeytoken: z.exactOptional(honeytokenSchema),
  production: servedVersionSchema,
  canary: z.exactOptional(servedVersionSchema.extend({ share: z.number(), salt: z.string(), rollout: z.exactOptional(z.string()) })),
});

/** What an application is given of a version. */
export type ServedVersion = Shape<typeof servedVersionSchema>;

/** See {@link servedPromptSchema}. */
export type ServedPrompt = Shape<typeof servedPromptSchema>;

/** What becomes of a version, read from the labels alone. */
const promptVersionStatuses = ["draft", "canary", "production", "retired"] as const;

/** See {@link promptViewSchema}. */
export type PromptVersionStatus = (typeof promptVersionStatuses)[number];

/** A version without its layers and evidence, as a list shows it. */
const versionSummarySchema = promptVersionSchema
  .omit({ layout: true, evidence: true })
  .extend({ labels: z.array(z.string()), status: z.enum(promptVersionStatuses) });

/** One prompt with its labels, its canary and its newest versions. */
export const promptViewSchema = promptStateSchema.extend({
  canary: promptRolloutSchema.nullable(),
  versions: z.array(versionSummarySchema),
});

/** A move of a label from where it was seen. */
export const labelMoveSchema = z.strictObject({
  /** Where the label shall point; null takes it away. */
  version: z.int().min(1).nullable(),
  /** Where it pointed when it was read; null for nowhere. */
  expected: z.int().min(1).nullable(),
  reason: z.string().trim().min(1).max(300),
});

/** A label that was moved: what moving it back needs. */
export const movedLabelSchema = z.object({ label: z.string(), before: z.number().nullable(), after: z.number().nullable() });

/** A change of a prompt's canary from what was seen. */
export const promptRolloutChangeSchema = z.strictObject({
  canary: promptRolloutSchema.nullable(),
  expected: promptRolloutSchema.nullable(),
  reason: z.string().trim().min(1).max(300),
});

/** The canary of a prompt; null: it has none. */
export const promptRolloutStateSchema = z.object({ canary: promptRolloutSchema.nullable() });
