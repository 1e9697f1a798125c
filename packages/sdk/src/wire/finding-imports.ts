import { z } from "zod";
import { commentedFindingSchema } from "./findings.ts";
import { featureNameSchema } from "./flags.ts";
import { findingEventSchema, securityFindingSchema, severityClasses, sourceStatusSchema } from "./security-findings.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** Forms of documents with findings: runbookd's own, SARIF 2.1.0, OSV-Scanner's JSON, and CycloneDX with vulnerabilities (VEX). */
export const findingFormats = ["generic", "sarif", "osv", "cyclonedx"] as const;

/** See {@link findingFormats}. */
export type FindingFormat = (typeof findingFormats)[number];

/**
 * What became of one item of a document. `older`: a newer report of the finding is kept. `unreadable`: the item does not say what a finding needs. `refused`: it
 * could be read and was not kept. `passed_over`: it is no finding.
 */
export const findingImportResults = ["created", "updated", "unchanged", "older", "unreadable", "refused", "passed_over"] as const;

/** See {@link findingImportResults}. */
export type FindingImportResult = (typeof findingImportResults)[number];

/** One item of a document, and what became of it. */
export const importedFindingSchema = z.object({
  /** Its place, e.g. `runs[0].results[3]`. */
  at: z.string(),
  result: z.enum(findingImportResults),
  /** The finding's id; absent when none was kept. */
  id: z.string().exactOptional(),
  feature: z.string().exactOptional(),
  /** Why it is in no feature, or why it was not kept. */
  reason: z.string().exactOptional(),
});

/** See {@link importedFindingSchema}. */
export type ImportedFinding = Shape<typeof importedFindingSchema>;

/** What became of a document: every item once, in the order of the document, and counts by result. */
export const findingImportSchema = z.object({
  items: z.array(importedFindingSchema),
  counts: z.record(z.enum(findingImportResults), z.number()),
  /** What makes the document doubtful as a whole. */
  warnings: z.array(z.string()),
});

/** See {@link findingImportSchema}. */
export type FindingImport = Shape<typeof findingImportSchema>;

/** Items of one request. */
export const maxFindingsAtOnce = 10_000;

/** A finding of any kind in a list; `security` is there for the kind `security` alone. */
export const listedFindingSchema = commentedFindingSchema.extend({ security: securityFindingSchema.exactOptional() });

/** See {@link listedFindingSchema}. */
export type ListedFinding = Shape<typeof listedFindingSchema>;

/** One finding; `events` is what happened to a security finding, oldest first, and empty for other kinds. */
export const shownFindingSchema = listedFindingSchema.extend({ events: z.array(findingEventSchema) });

/** See {@link shownFindingSchema}. */
export type ShownFinding = Shape<typeof shownFindingSchema>;

const reportedFindingSchema = securityFindingSchema.extend({
  class: z.enum(severityClasses),
  /** False: the class was not assessed; it is the source's word raised by one, or critical. */
  assessed: z.boolean(),
  events: z.array(findingEventSchema),
});

/** What is known of security findings of a time, for the report to an authority within 72 hours. Holds no secret. */
export const findingReportSchema = z.object({
  at: instantSchema,
  since: instantSchema,
  feature: featureNameSchema.nullable(),
  /** When the first of these findings was known; null without any. */
  firstKnownAt: instantSchema.nullable(),
  /** 72 hours after it. */
  reportUntil: instantSchema.nullable(),
  findings: z.array(reportedFindingSchema),
  /** Every event of these findings, oldest first. */
  timeline: z.array(z.object({ at: instantSchema, finding: z.string(), sentence: z.string() })),
  /** Sentences on what is not known. */
  unknown: z.array(z.string()),
  sources: z.array(sourceStatusSchema),
});

/** See {@link findingReportSchema}. */
export type FindingReport = Shape<typeof findingReportSchema>;
