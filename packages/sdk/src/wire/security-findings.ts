import { z } from "zod";
import { featureNameSchema } from "./flags.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** How urgent a security finding is, the gravest first. */
export const severityClasses = ["critical", "high", "medium", "low"] as const;

/** See {@link severityClasses}. */
export type SeverityClass = (typeof severityClasses)[number];

/** `fixed` by a change, `dismissed` by a person at its source, `resolved` otherwise: only the source says so. */
export const securityFindingStates = ["open", "fixed", "dismissed", "resolved"] as const;

/** What sort of thing was found. */
export const securityFindingKinds = ["vulnerability", "code", "secret", "prompt", "advisory"] as const;

/** Which weakness it is; every id as its publisher writes it, OWASP's with the edition, e.g. `LLM06:2025`. */
export const weaknessSchema = z.strictObject({
  cwe: z
    .array(z.string().regex(/^CWE-\d{1,6}$/))
    .max(50)
    .default([]),
  cve: z
    .string()
    .regex(/^CVE-\d{4}-\d{4,19}$/)
    .exactOptional(),
  ghsa: z
    .string()
    .regex(/^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$/)
    .exactOptional(),
  owasp: z
    .array(z.string().regex(/^(LLM|ASI|AST)\d{2}:\d{4}$/))
    .max(20)
    .default([]),
});

/** What is known of a finding's weight. A fact that is absent is unknown, and an unknown fact never makes a finding less urgent. */
export const severityFactsSchema = z.strictObject({
  /** As its source wrote it, valid or not. */
  cvss: z.string().max(500).exactOptional(),
  /** Listed among the vulnerabilities known to be exploited (CISA KEV). */
  knownExploited: z.boolean().exactOptional(),
  /** Probability of exploitation within 30 days (EPSS), 0 to 1. */
  epss: z.number().min(0).max(1).exactOptional(),
  /** Our own telemetry saw it happen: a tool outside its list was called, or a honeytoken left. */
  observed: z.boolean().exactOptional(),
  /** A replay of the attack succeeded. */
  reproduced: z.boolean().exactOptional(),
  /** The source's own word. */
  sourceSeverity: z.enum(severityClasses).exactOptional(),
});

/** See {@link severityFactsSchema}. */
export type SeverityFacts = Shape<typeof severityFactsSchema>;

/** An exposed secret; never its text. */
export const foundSecretSchema = z.strictObject({
  /** What sort of secret, as the source names it. */
  type: z.string().min(1).max(120),
  validity: z.enum(["active", "inactive", "unknown"]),
  /** It was seen outside, or in more than one repository. */
  public: z.boolean().exactOptional(),
  /** SHA-256 of its text, in hex, to recognize it again; only where it is long enough not to be guessed. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
  last4: z.string().max(4).exactOptional(),
  /** The id under which the key's system knows it. */
  key: z.string().max(200).exactOptional(),
});

/** Where it is. */
export const findingLocationSchema = z.strictObject({
  repository: z.string().max(200).exactOptional(),
  path: z.string().max(1000).exactOptional(),
  line: z.int().min(1).exactOptional(),
  package: z.string().max(200).exactOptional(),
});

/** Name of a source of security findings: a metric label after capping. */
export const sourceNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,59}$/, "a name of 1 to 60 letters a-z, digits and -, beginning with a letter or digit");

/** A finding's class with what led to it. */
export const severityVerdictSchema = z.strictObject({
  class: z.enum(severityClasses),
  /** Sentences, in the order in which they were decided. */
  reasons: z.array(z.string()),
  /** Names of the facts that were not known. */
  unknown: z.array(z.string()),
  /** Critical, or high with exploitation active: what is affected is switched off. */
  contain: z.boolean(),
});

/** See {@link severityVerdictSchema}. */
export type SeverityVerdict = Shape<typeof severityVerdictSchema>;

/** A security finding as a source reports it. */
export const reportedSecurityFindingSchema = z.strictObject({
  /** Who found it, e.g. `github-code-scanning`. */
  source: sourceNameSchema,
  /** The source's own id of it; with `source` it names the finding. */
  ref: z.string().min(1).max(500),
  kind: z.enum(securityFindingKinds),
  state: z.enum(securityFindingStates),
  title: z.string().min(1).max(300),
  /** Plain text; markup of a source is not kept. */
  description: z.string().max(4000).exactOptional(),
  /** Absent: found from `location` by the features of runbookd.yml, else `unknown`. */
  feature: featureNameSchema.exactOptional(),
  weakness: weaknessSchema,
  facts: severityFactsSchema,
  secret: foundSecretSchema.exactOptional(),
  location: findingLocationSchema,
  /** Page of the finding at its source. */
  url: z.string().max(1000).exactOptional(),
  /** When the source changed it last; an older report never replaces a newer one. */
  updatedAt: z
    .int()
    .min(0)
    .max(253_402_300_799_999)
    .meta({ description: "UTC, in whole milliseconds since 1970-01-01, up to the year 9999" }),
  fixedBy: z.string().max(500).exactOptional(),
});

/** See {@link reportedSecurityFindingSchema}. */
export type ReportedSecurityFinding = Shape<typeof reportedSecurityFindingSchema>;

/** A security finding as it is kept. */
export const securityFindingSchema = reportedSecurityFindingSchema
  .extend({
    /** Made of source and ref. */
    id: z.string(),
    feature: z.string(),
    firstSeenAt: instantSchema,
    verdict: severityVerdictSchema.nullable(),
    /** The run that works on it. */
    runId: z.string().exactOptional(),
  })
  .meta({ id: "SecurityFinding" });

/** See {@link securityFindingSchema}. */
export type SecurityFinding = Shape<typeof securityFindingSchema>;

/** What happens to a finding: it is reported for the first time, its state or anything else changes, its class is decided. */
export const findingEventKinds = ["created", "state", "changed", "judged"] as const;

/** One event in the life of a finding. */
export const findingEventSchema = z.object({
  /** When it was recorded. */
  at: instantSchema,
  kind: z.enum(findingEventKinds),
  /** The state, or the class of `judged`; empty for `changed`. */
  value: z.string(),
});

/** See {@link findingEventSchema}. */
export type FindingEvent = Shape<typeof findingEventSchema>;

/** Whether a source can be read. A source that cannot be read is never one without findings. */
export const sourceStatusSchema = z.object({
  source: z.string(),
  up: z.boolean(),
  /** Why not, without secrets. */
  reason: z.string().exactOptional(),
  /** When it was read successfully last; absent: never. */
  seenAt: instantSchema.exactOptional(),
  /** True of a source that sends documents, and is not asked. */
  sends: z.boolean().exactOptional(),
});

/** See {@link sourceStatusSchema}. */
export type SourceStatus = Shape<typeof sourceStatusSchema>;

/** What became of one delivery of a webhook. */
export const deliveryOutcomeSchema = z.strictObject({
  /** `ignored`: it says nothing about security; `repeated`: it was worked on before; the others as a report. */
  outcome: z.enum(["ignored", "repeated", "created", "updated", "unchanged", "older"]),
  /** Id of the finding. */
  finding: z.string().exactOptional(),
});
