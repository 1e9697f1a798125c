import { z } from "zod";
import { featureNameSchema } from "./flags.ts";
import type { Shape } from "./shape.ts";

/** Longest text of one output that is sent and scanned, in UTF-16 code units; the client sends samples of a longer one. */
export const maxOutputLength = 262_144;

/** What a model gave out: an answer to a person, or the arguments of a tool that it calls. */
export const outputKinds = ["answer", "tool_call"] as const;

/** One output, see {@link ReportedOutput}. Its text is scanned for secrets and honeytokens and is not stored. */
export const reportedOutputSchema = z.strictObject({
  feature: featureNameSchema,
  kind: z.enum(outputKinds).default("answer"),
  text: z.string().max(maxOutputLength),
});

/** An output of a model, as an application reports it. */
export type ReportedOutput = z.input<typeof reportedOutputSchema>;

/** Outputs that are sent at once. */
export const outputReportSchema = z.strictObject({ outputs: z.array(reportedOutputSchema).min(1).max(20) });

/** What was found in one output. */
export const outputInspectionSchema = z.object({
  /** False: it was not looked at to its end, and what was found is not everything. */
  scanned: z.boolean(),
  /** Secrets and honeytokens that were found, at most 50. */
  detections: z.number(),
});

/** See {@link outputInspectionSchema}. */
export type OutputInspection = Shape<typeof outputInspectionSchema>;

/** One inspection an output, in their order. */
export const outputReportResultSchema = z.object({ items: z.array(outputInspectionSchema) });
