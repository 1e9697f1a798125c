import { z } from "zod";
import { jsonSchema } from "./json.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** What a finding is about. */
export const findingKinds = ["cost", "cache", "security", "quality", "failure"] as const;

/** Severities, the gravest first. */
export const severities = ["critical", "high", "medium", "low"] as const;

/** An observation about the workload that calls for action, with its evidence. */
export const findingSchema = z.object({
  /** The same for the same matter, whenever it is found again. */
  id: z.string(),
  kind: z.enum(findingKinds),
  severity: z.enum(severities),
  /** One sentence. */
  title: z.string(),
  /** When it was found last. */
  at: instantSchema,
  evidence: jsonSchema,
});

/** See {@link findingSchema}. */
export type Finding = Shape<typeof findingSchema>;

/** What people say of a finding: `acted`: it is being fixed; `accepted`: it stays as it is; `false_positive`: it is wrong. */
export const findingStatuses = ["open", "acted", "accepted", "false_positive"] as const;

/** See {@link findingStatuses}. */
export type FindingStatus = (typeof findingStatuses)[number];

/** What a person has said of a finding. */
export const findingCommentSchema = z.object({
  status: z.enum(findingStatuses),
  reason: z.string(),
  by: z.string(),
  at: instantSchema,
  /** How grave it was then. */
  severity: z.enum(severities),
});

/** See {@link findingCommentSchema}. */
export type FindingComment = Shape<typeof findingCommentSchema>;

/** A finding with its status and the note that it comes from. */
export const commentedFindingSchema = findingSchema.extend({ status: z.enum(findingStatuses), note: findingCommentSchema.nullable() });

/** What a person says becomes of a finding. */
export const newFindingCommentSchema = z.strictObject({ status: z.enum(findingStatuses), reason: z.string().trim().min(1).max(300) });
