import { z } from "zod";
import { jsonSchema } from "./json.ts";
import { modes } from "./runs.ts";
import type { Shape } from "./shape.ts";

/** Where something stands in the file as it is; 1-based, columns count characters. */
export const positionSchema = z.object({ line: z.number(), column: z.number() });

/** See {@link positionSchema}. */
export type Position = Shape<typeof positionSchema>;

/** One fault or warning of a document. */
export const diagnosticSchema = z.object({
  file: z.string(),
  position: positionSchema,
  severity: z.enum(["error", "warning"]),
  /** Stable kebab-case rule name, e.g. `label-outside-step`. */
  rule: z.string(),
  /** What is wrong. */
  message: z.string(),
  /** What would be accepted. */
  accepted: z.string(),
});

/** See {@link diagnosticSchema}. */
export type Diagnostic = Shape<typeof diagnosticSchema>;

/** A CEL expression whose syntax and names were checked at load. */
export const expressionSchema = z.object({ source: z.string(), position: positionSchema });

/** See {@link expressionSchema}. */
export type Expression = Shape<typeof expressionSchema>;

/** An action and its parameters as written; strings may hold `${{ }}`. Checked against the action's schema at load. */
export const actionCallSchema = z.object({ name: z.string(), parameters: z.record(z.string(), jsonSchema), position: positionSchema });

/** See {@link actionCallSchema}. */
export type ActionCall = Shape<typeof actionCallSchema>;

/** `[retry N times [every D],] [then] (stop | continue | ask | undo | go to "Step name")`. */
export const failurePolicySchema = z.object({
  /** Further attempts after the first. */
  retries: z.number(),
  retryEveryMs: z.number(),
  then: z.discriminatedUnion("kind", [
    z.object({ kind: z.enum(["stop", "continue", "ask", "undo"]) }),
    z.object({ kind: z.literal("go_to"), step: z.string() }),
  ]),
});

/** See {@link failurePolicySchema}. */
export type FailurePolicy = Shape<typeof failurePolicySchema>;

/** An explicit request for a person's permission. */
export const approvalRuleSchema = z.object({
  role: z.enum(["operator", "approver"]),
  of: z.number(),
  withinMs: z.number(),
  unless: z.exactOptional(expressionSchema),
});

/** See {@link approvalRuleSchema}. */
export type ApprovalRule = Shape<typeof approvalRuleSchema>;

/** One numbered item of the Procedure. Without an action it is a manual step. */
export const stepSchema = z.object({
  /** Slug of the name. */
  id: z.string(),
  name: z.string(),
  number: z.number(),
  /** The third-level heading it stands under, when there is one. */
  section: z.exactOptional(z.string()),
  /** The item's prose, as Markdown. */
  text: z.string(),
  position: positionSchema,
  action: z.exactOptional(actionCallSchema),
  when: z.exactOptional(expressionSchema),
  expected: z.exactOptional(z.object({ expression: expressionSchema, withinMs: z.exactOptional(z.number()) })),
  /** Prose of Expected beside a manual step. */
  expectedText: z.exactOptional(z.string()),
  onFailure: failurePolicySchema,
  undo: z.exactOptional(actionCallSchema),
  approval: z.exactOptional(approvalRuleSchema),
  timeoutMs: z.exactOptional(z.number()),
});

/** See {@link stepSchema}. */
export type Step = Shape<typeof stepSchema>;

/** A Prerequisite, or an item of Verification: prose, or prose with one check. */
export const checkItemSchema = z.object({
  text: z.string(),
  position: positionSchema,
  check: z.exactOptional(
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("expression"), expression: expressionSchema, withinMs: z.exactOptional(z.number()) }),
      z.object({ kind: z.literal("promql"), query: z.string(), withinMs: z.exactOptional(z.number()) }),
      z.object({
        kind: z.literal("action"),
        call: actionCallSchema,
        expected: expressionSchema,
        withinMs: z.exactOptional(z.number()),
      }),
    ]),
  ),
});

/** See {@link checkItemSchema}. */
export type CheckItem = Shape<typeof checkItemSchema>;

/** An item of Post-Action: an action that runs when the run has ended, or prose left for people. */
export const postItemSchema = z.object({ text: z.string(), position: positionSchema, action: z.exactOptional(actionCallSchema) });

/** See {@link postItemSchema}. */
export type PostItem = Shape<typeof postItemSchema>;

/** A typed input. */
export const paramSpecSchema = z.object({
  type: z.enum(["string", "number", "integer", "boolean", "duration"]),
  /** `alert.labels.x` or `alert.annotations.x`: where an alert start takes it from. */
  from: z.exactOptional(z.string()),
  default: z.exactOptional(jsonSchema),
  enum: z.exactOptional(z.array(jsonSchema)),
  description: z.exactOptional(z.string()),
});

/** See {@link paramSpecSchema}. */
export type ParamSpec = Shape<typeof paramSpecSchema>;

/** One label matcher of Alertmanager's syntax. */
export const matcherSchema = z.object({ label: z.string(), op: z.enum(["=", "!=", "=~", "!~"]), value: z.string() });

/** See {@link matcherSchema}. */
export type Matcher = Shape<typeof matcherSchema>;

/** One trigger: the alert name and matchers of its labels. */
export const triggerSchema = z.object({ source: z.string(), matchers: z.array(matcherSchema), position: positionSchema });

/** See {@link triggerSchema}. */
export type Trigger = Shape<typeof triggerSchema>;

/** A document for people and a program for the machine, after every check. Immutable. */
export const runbookSchema = z
  .object({
    /** File name without `.md`. */
    id: z.string(),
    title: z.string(),
    file: z.string(),
    /** SHA-256 of the bytes. */
    sha256: z.string(),
    source: z.string(),
    triggers: z.array(triggerSchema),
    /** With templates over `alert` and `params`, e.g. `budget/${{ params.budget }}`. */
    target: z.exactOptional(z.string()),
    params: z.record(z.string(), paramSpecSchema),
    mode: z.enum(modes),
    cooldownMs: z.number(),
    /** Of running time; suspension does not count. */
    timeoutMs: z.number(),
    onResolved: z.enum(["finish", "undo"]),
    /** What an open run does when another alert of its target fires; absent: it goes on. */
    onJoined: z.exactOptional(z.enum(["continue", "repeat"])),
    /** Metric name → PromQL with templates. */
    track: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.number()),
    owner: z.exactOptional(z.string()),
    tags: z.array(z.string()),
    /** Markdown of the prose sections by canonical heading: Scenario, Symptoms, Related … */
    prose: z.record(z.string(), z.string()),
    prerequisites: z.array(checkItemSchema),
    steps: z.array(stepSchema),
    verification: z.array(checkItemSchema),
    postAction: z.array(postItemSchema),
  })
  .meta({ id: "Runbook" });

/** See {@link runbookSchema}. */
export type Runbook = Shape<typeof runbookSchema>;

/** One document of the running set, or a file that could not be read into one. */
export const runbookDocumentSchema = z.object({
  id: z.string(),
  file: z.string(),
  /** The bytes of the running version; of the broken file when there never was a good one. */
  source: z.string(),
  /** The running version. Absent when the file never was good. */
  runbook: z.exactOptional(runbookSchema),
  /** Of the newest bytes seen: with an error here the running version is an older one. */
  diagnostics: z.array(diagnosticSchema),
});

/** See {@link runbookDocumentSchema}. */
export type RunbookDocument = Shape<typeof runbookDocumentSchema>;

const catalogueHead = { id: z.string(), file: z.string(), errors: z.number(), warnings: z.number() };

/** One line of the catalogue; without a good version only how many faults the file has. */
export const catalogueEntrySchema = z.discriminatedUnion("usable", [
  z.object({ ...catalogueHead, usable: z.literal(false) }),
  z.object({
    ...catalogueHead,
    usable: z.literal(true),
    title: z.string(),
    sha256: z.string(),
    mode: z.enum(modes),
    triggers: z.array(z.string()),
    params: z.record(z.string(), paramSpecSchema),
    owner: z.exactOptional(z.string()),
    tags: z.array(z.string()),
    /** `action` is null for a step that people do. */
    steps: z.array(z.object({ id: z.string(), name: z.string(), number: z.number(), action: z.string().nullable() })),
  }),
]);

/** See {@link catalogueEntrySchema}. */
export type CatalogueEntry = Shape<typeof catalogueEntrySchema>;
