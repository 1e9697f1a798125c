import { z } from "zod";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** What is kept as evidence. */
export const evidenceKinds = ["finding", "ticket", "checkpoint", "conversation", "prompt"] as const;

/** One row of a manifest. */
export const evidenceEntrySchema = z.object({
  kind: z.enum(evidenceKinds),
  /** What it is called where it comes from, e.g. a ticket's id or a checkpoint's ref. */
  id: z.string(),
  /** Hex SHA-256 of the text that is kept. */
  sha256: z.string(),
  /** Length of the text before it was cut, in characters; secrets are masked before. */
  characters: z.number(),
  /** Whether only its beginning is kept. */
  cut: z.boolean(),
});

/** See {@link evidenceEntrySchema}. */
export type EvidenceEntry = Shape<typeof evidenceEntrySchema>;

/** What was kept of an incident, and what could not be. */
export const evidenceManifestSchema = z
  .object({
    id: z.string(),
    feature: z.string(),
    runId: z.string(),
    at: instantSchema,
    entries: z.array(evidenceEntrySchema),
    /** What could not be read, one sentence each. */
    missing: z.array(z.string()),
    /** Entries beyond the bounds of one evidence. */
    omitted: z.number(),
  })
  .meta({ id: "EvidenceManifest" });

/** A manifest with the texts that it lists. */
export const evidenceSchema = z
  .object({
    manifest: evidenceManifestSchema,
    /** Hex SHA-256 of the manifest's canonical JSON, as the audit log has it. */
    sha256: z.string(),
    /** In the order of the manifest's entries. */
    texts: z.array(z.string()),
  })
  .meta({ id: "Evidence" });

/** See {@link evidenceSchema}. */
export type Evidence = Shape<typeof evidenceSchema>;
