import { z } from "zod";
import { jsonSchema } from "../../packages/sdk/src/wire/json.ts";
import type { Diagnostic } from "../../packages/sdk/src/wire/runbooks.ts";
import { outcomes } from "../../packages/sdk/src/wire/runs.ts";
import { durationGrammar, parseDuration } from "../core/duration.ts";
import { ticketPhases } from "../llm/tickets/ticket-phase.ts";
import { createLocator } from "../runbooks/parse/locate.ts";
import { createReporter, nearest, oneOf } from "../runbooks/parse/reporter.ts";
import { parseYamlBlock } from "../runbooks/parse/yaml-block.ts";
import { budgetOf, budgetSchema, spendSchema } from "./parse-budget.ts";
import { faultGrammar, parseFault } from "./parse-fault.ts";
import { featureOf, featureSchema, findingOf, findingSchema } from "./parse-feature.ts";
import { promptOf, promptSchema } from "./parse-prompt.ts";
import { modelName, modelOf, modelSchema, routeOf, routeSchema } from "./parse-route.ts";
import type { MetricPoint, Rehearsal, RehearsedRule } from "./rehearsal.ts";
import { amount, count, duration } from "./rehearsal-values.ts";
import { oneBlank } from "./scripted-metrics.ts";

const batch = z.strictObject({
  budget: z.string().min(1),
  queue: z.string().min(1).default("default"),
  draft: z.boolean().default(false),
  tickets: z.number().int().positive(),
  ended: count.default(0),
  kind: z.string().min(1).default("ticket"),
  per_minute: z.number().positive().default(1),
  cost_usd: amount.default(0),
  p90_usd: amount.default(0),
  failures: z.record(z.string(), count).default({}),
});

const ticket = z.strictObject({
  queue: z.string().min(1).default("tickets"),
  budget: z.string().min(1).default("tickets"),
  state: z.enum(["running", "waiting", "dead"]).default("running"),
  reason: z.string().default(""),
  stage: z.string().default("implement"),
  attempt: count.default(1),
  failures: z.array(z.string()).default([]),
  done: z.array(z.enum(ticketPhases)).default(["plan"]),
  green: z.array(z.string()).default([]),
  broken: z.array(count).default([]),
  work: z.boolean().default(true),
  conflicts: z.array(z.string()).default([]),
  published: z.enum(["no", "yes", "moved", "merged"]).default("no"),
  goes_on: z.boolean().default(true),
  back_after: duration.optional(),
});

const sample = z.union([z.number(), z.enum(["none", "down", "partial"])], { error: "must be a number, `none`, `down` or `partial`" });
const series = z.union([sample, z.record(z.string(), sample)], {
  error: "must be a number, `none`, `down`, `partial`, or a table of these by the time after the alert, e.g. `{ 0s: 21.4, 10m: 0.3 }`",
});

const fault = z.union([z.string(), z.record(z.string(), z.union([z.string(), z.number()]))]).transform((written, context) => {
  const entries = typeof written === "string" ? [[written]] : Object.entries(written);
  const parsed = entries.length === 1 ? parseFault((entries[0] ?? []).join(": ")) : undefined;
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: "custom", message: `must be ${faultGrammar}` });
  return z.NEVER;
});

const labels = z.record(z.string(), z.string());
const writtenAlert = z.strictObject({ labels, annotations: labels.default({}) });
/** `input_series` and `interval` are promtool's. */
const ruleAlert = z.strictObject({
  input_series: z.array(z.strictObject({ series: z.string().min(1), values: z.string().min(1) })).min(1),
  interval: duration.default(60_000),
  alertname: z.string().min(1),
  at: duration,
  labels: labels.default({}),
});

const stepEnds = ["completed", "skipped", "failed", "waiting", "not_reached"] as const;

/** A rehearsal as it is written; see docs/rehearsals.md. */
const rehearsalSchema = z.strictObject({
  name: z.string().min(1).max(200),
  alert: z
    .union([writtenAlert, ruleAlert], { error: "must be `labels` and `annotations`, or `input_series`, `alertname` and `at`" })
    .optional(),
  params: z.record(z.string(), jsonSchema).default({}),
  mode: z.enum(["observe", "approve", "auto"]).optional(),
  workload: z
    .strictObject({
      budgets: z.record(z.string(), budgetSchema).default({}),
      batches: z.record(z.string(), batch).default({}),
      prompts: z.record(z.string(), promptSchema).default({}),
      models: z.record(modelName, modelSchema).default({}),
      routes: z.record(z.string(), routeSchema).default({}),
      evaluator: z.enum(["application", "none"]).default("application"),
      tickets: z.record(z.string(), ticket).default({}),
      features: z.record(z.string(), featureSchema).default({}),
      findings: z.union([z.literal("unreadable"), z.array(findingSchema).max(100)]).default([]),
      sources: z.record(z.string(), z.enum(["up", "down"])).default({}),
    })
    .prefault({}),
  metrics: z.record(z.string(), series).default({}),
  faults: z.array(fault).max(100).default([]),
  expect: z.strictObject({
    outcome: z.enum([...outcomes, "waiting"]),
    reason: z.string().min(1).optional(),
    steps: z.record(z.string(), z.enum(stepEnds)).default({}),
    effects: z.array(z.string()).optional(),
    mails: z.array(z.string()).optional(),
    questions: z.array(z.string()).optional(),
  }),
});

/** The rehearsal is there exactly when no diagnostic is an error. */
export interface RehearsalParse {
  readonly rehearsal?: Rehearsal;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads one file of `runbooks/rehearsals/<id>/`; every fault is told at once, with its place. */
export function parseRehearsal({ file, source }: { readonly file: string; readonly source: string }): RehearsalParse {
  const reporter = createReporter(file, createLocator(source));
  const block = parseYamlBlock(source, (offset) => offset, reporter);
  if (block === undefined) return { diagnostics: reporter.diagnostics };
  const parsed = rehearsalSchema.safeParse(block.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
      if (issue.code !== "unrecognized_keys") {
        reporter.error({
          rule: "rehearsal",
          at: block.offsetOf(path),
          message: `\`${path.join(".") || "the file"}\` cannot be read.`,
          accepted: issue.message,
        });
        continue;
      }
      for (const key of issue.keys) {
        const suggestion = nearest(key, acceptedKeys);
        const accepted =
          suggestion === undefined ? `${oneOf(Object.keys(rehearsalSchema.shape))}; see docs/rehearsals.md` : `\`${suggestion}\``;
        reporter.error({
          rule: "rehearsal",
          at: block.keyOffsetOf([...path, key]),
          message: `The key \`${key}\` is not known here.`,
          accepted,
        });
      }
    }
    return { diagnostics: reporter.diagnostics };
  }
  const { workload, metrics, alert, mode, ...fields } = parsed.data;
  const tables = Object.entries(metrics).map(([query, written]) => {
    const points = pointsOf(written);
    if (points === undefined)
      reporter.error({
        rule: "rehearsal",
        at: block.offsetOf(["metrics", query]),
        message: "A time of this table cannot be read.",
        accepted: `times as ${durationGrammar}`,
      });
    return [oneBlank(query), points ?? []] as const;
  });
  if (reporter.diagnostics.length > 0) return { diagnostics: reporter.diagnostics };
  const { reason, effects, mails, questions, ...expected } = fields.expect;
  return {
    diagnostics: [],
    rehearsal: {
      file,
      name: fields.name,
      params: fields.params,
      faults: fields.faults,
      budgets: Object.entries(workload.budgets).map(([id, written]) => budgetOf(id, written)),
      prompts: Object.entries(workload.prompts).map(([name, written]) => promptOf(name, written)),
      models: Object.entries(workload.models).flatMap(([name, written]) => modelOf(name, written)),
      routes: Object.entries(workload.routes).flatMap(([id, written]) => routeOf(id, written)),
      evaluator: workload.evaluator === "application",
      batches: Object.entries(workload.batches).map(([id, { per_minute: perMinute, cost_usd: costUsd, p90_usd: p90Usd, ...written }]) => ({
        id,
        ...written,
        perMinute,
        costUsd,
        p90Usd,
      })),
      tickets: Object.entries(workload.tickets).map(([id, { goes_on: goesOn, back_after: backAfterMs, ...written }]) => ({
        id,
        ...written,
        goesOn,
        ...(backAfterMs !== undefined && { backAfterMs }),
      })),
      features: Object.entries(workload.features).map(([name, written]) => featureOf(name, written)),
      findings: workload.findings === "unreadable" ? workload.findings : workload.findings.map((written) => findingOf(written)),
      sources: workload.sources,
      metrics: Object.fromEntries(tables),
      ...(alert !== undefined && ("input_series" in alert ? { rule: ruleOf(alert) } : { alert })),
      ...(mode !== undefined && { mode }),
      expect: {
        ...expected,
        ...(reason !== undefined && { reason }),
        ...(effects !== undefined && { effects }),
        ...(mails !== undefined && { mails }),
        ...(questions !== undefined && { questions }),
      },
    },
  };
}

function ruleOf({ input_series: series, interval, at, ...fields }: z.output<typeof ruleAlert>): RehearsedRule {
  return { ...fields, series, intervalMs: interval, atMs: at };
}

const acceptedKeys = [
  rehearsalSchema,
  budgetSchema,
  batch,
  promptSchema,
  modelSchema,
  routeSchema,
  ticket,
  featureSchema,
  findingSchema,
  spendSchema,
  rehearsalSchema.shape.expect,
].flatMap((schema) => Object.keys(schema.shape));

function pointsOf(written: z.output<typeof series>): readonly MetricPoint[] | undefined {
  if (typeof written !== "object") return [{ fromMs: 0, value: written }];
  const points = Object.entries(written).map(([time, value]) => ({ fromMs: parseDuration(time), value }));
  const validPoints = points.flatMap(({ fromMs, value }) => (fromMs === undefined ? [] : [{ fromMs, value }]));
  return validPoints.length === points.length ? validPoints.toSorted((a, b) => a.fromMs - b.fromMs) : undefined;
}
