import { z } from "zod";
import { cacheBlocks } from "../../packages/sdk/src/wire/caches.ts";
import { jsonSchema } from "../../packages/sdk/src/wire/json.ts";
import { modelFeatures, modelLifecycles } from "../../packages/sdk/src/wire/models.ts";
import type { ModelRef } from "../../packages/sdk/src/wire/routing.ts";
import type { Diagnostic } from "../../packages/sdk/src/wire/runbooks.ts";
import { outcomes } from "../../packages/sdk/src/wire/runs.ts";
import { durationGrammar, parseDuration } from "../core/duration.ts";
import { modelRefGrammar, parseModelRef } from "../llm/models/model-ref.ts";
import { ticketPhases } from "../llm/tickets/ticket-phase.ts";
import { createLocator } from "../runbooks/parse/locate.ts";
import { createReporter, nearest, oneOf } from "../runbooks/parse/reporter.ts";
import { parseYamlBlock } from "../runbooks/parse/yaml-block.ts";
import { faultGrammar, parseFault } from "./parse-fault.ts";
import type {
  Course,
  MetricPoint,
  Rehearsal,
  RehearsedRule,
  SimulatedBudget,
  SimulatedModel,
  SimulatedPrompt,
  SimulatedRoute,
  SimulatedTrial,
} from "./rehearsal.ts";
import { oneBlank } from "./scripted-metrics.ts";

const duration = z.string().transform((text, context): number => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: `must be ${durationGrammar}` });
  return z.NEVER;
});
const amount = z.number().nonnegative();
const count = z.number().int().nonnegative();
const limit = z.number().positive().nullable().default(null);

const spend = z
  .strictObject({
    ago: duration,
    prompt: z.string().min(1),
    operation: z.string().min(1),
    provider: z.string().default("simulated"),
    model: z.string().default("simulated-1"),
    cost_usd: amount,
    requests: count.default(1),
    tickets: count.default(1),
    attempts: count.default(1),
  })
  .meta({ description: "Spend at one instant before the alert." });

const budget = z.strictObject({
  limit_usd: amount,
  spent_usd: amount.default(0),
  running: count.default(0),
  queued: count.default(0),
  turn: duration.default(30_000),
  closed_by: z.string().min(1).optional(),
  limits: z
    .strictObject({ concurrency: limit, rate_per_minute: limit, per_ticket_cap_usd: limit, max_attempts: limit })
    .default({ concurrency: null, rate_per_minute: null, per_ticket_cap_usd: null, max_attempts: null }),
  spend: z.array(spend).max(500).default([]),
});

const ratio = z.number().min(0).max(1);

/** A value, or a table of values by the time after the alert. */
function courseOf(value: typeof amount) {
  return z
    .union([value, z.record(z.string(), value)], {
      error: `must be a number, or a table of numbers by the time after the alert, e.g. \`{ 0s: 0.9, 2d: 0.7 }\``,
    })
    .transform((written, context): Course => {
      if (typeof written === "number") return written;
      const points = Object.entries(written).flatMap(([time, number]) => {
        const fromMs = parseDuration(time);
        return fromMs === undefined ? [] : [{ fromMs, value: number }];
      });
      if (points.length === Object.keys(written).length && points.some(({ fromMs }) => fromMs === 0))
        return points.toSorted((a, b) => a.fromMs - b.fromMs);
      context.addIssue({ code: "custom", message: `times must be ${durationGrammar}, and the first one 0s` });
      return z.NEVER;
    });
}

const prompt = z.strictObject({
  provider: z.string().default("anthropic"),
  model: z.string().default("opus-test"),
  hit: ratio,
  achievable: ratio.default(0.95),
  predicted_hit: ratio.default(0.94),
  lost_usd_per_day: amount,
  blocked: z.enum(cacheBlocks).optional(),
  ticket_tokens: count.default(900),
  tickets_per_minute: amount.default(10),
  canary_hit: ratio.default(0.93),
  promoted_hit: ratio.default(0.93),
  cost_ratio: amount.default(0.2),
  worse_answers: count.default(0),
  quality: ratio.default(0.95),
  canary_quality: ratio.default(0.95),
});

const modelName = z.string().refine((text) => parseModelRef(text) !== undefined, { message: `must be ${modelRefGrammar}` });
const features = z.array(z.enum(modelFeatures)).default(["tools", "caching"]);

const model = z.strictObject({
  lifecycle: z.enum(modelLifecycles).default("active"),
  retires_in: duration.optional(),
  context: count.default(200_000),
  features,
  priced: z.boolean().default(true),
  replacement: modelName.optional(),
});

const route = z.strictObject({
  model: modelName,
  features,
  requests: count.default(1000),
  largest: count.default(50_000),
  tickets: count.default(200),
  cost_usd: amount.default(0.1),
  worse_answers: count.default(0),
  bad_answers: count.default(0),
  cost_ratio: amount.default(0.5),
  tickets_per_minute: courseOf(amount).default(20),
  quality: courseOf(ratio).default(0.9),
  candidate_quality: courseOf(ratio).default(0.9),
  candidate_lost: ratio.default(0),
  candidate_hangs: ratio.default(0),
  trial: z
    .strictObject({
      model: modelName,
      share: z.number().gt(0).lt(1),
      rollout: z.enum(["running", "holding", "none"]).default("running"),
      reported: z.boolean().default(true),
      new_tickets: count.default(0),
    })
    .optional(),
  followers: count.default(3),
  stale_followers: count.default(0),
});

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
      budgets: z.record(z.string(), budget).default({}),
      batches: z.record(z.string(), batch).default({}),
      prompts: z.record(z.string(), prompt).default({}),
      models: z.record(modelName, model).default({}),
      routes: z.record(z.string(), route).default({}),
      evaluator: z.enum(["application", "none"]).default("application"),
      tickets: z.record(z.string(), ticket).default({}),
    })
    .default({ budgets: {}, batches: {}, prompts: {}, models: {}, routes: {}, evaluator: "application", tickets: {} }),
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

const acceptedKeys = [rehearsalSchema, budget, batch, prompt, model, route, ticket, spend, rehearsalSchema.shape.expect].flatMap((schema) =>
  Object.keys(schema.shape),
);

function pointsOf(written: z.output<typeof series>): readonly MetricPoint[] | undefined {
  if (typeof written !== "object") return [{ fromMs: 0, value: written }];
  const points = Object.entries(written).map(([time, value]) => ({ fromMs: parseDuration(time), value }));
  const validPoints = points.flatMap(({ fromMs, value }) => (fromMs === undefined ? [] : [{ fromMs, value }]));
  return validPoints.length === points.length ? validPoints.toSorted((a, b) => a.fromMs - b.fromMs) : undefined;
}

function budgetOf(id: string, written: z.output<typeof budget>): SimulatedBudget {
  const { limits } = written;
  return {
    id,
    limitUsd: written.limit_usd,
    spentUsd: written.spent_usd,
    running: written.running,
    queued: written.queued,
    turnMs: written.turn,
    ...(written.closed_by !== undefined && { closedBy: written.closed_by }),
    limits: {
      concurrency: limits.concurrency,
      ratePerMinute: limits.rate_per_minute,
      perTicketCapUsd: limits.per_ticket_cap_usd,
      maxAttempts: limits.max_attempts,
    },
    spend: written.spend.map(({ ago, cost_usd, ...row }) => ({ ...row, agoMs: ago, costUsd: cost_usd })),
  };
}

function modelOf(
  name: string,
  { retires_in: retiresInMs, context, features: has, replacement, ...written }: z.output<typeof model>,
): SimulatedModel[] {
  const ref = parseModelRef(name);
  const next = replacement === undefined ? undefined : parseModelRef(replacement);
  if (ref === undefined) return [];
  const more = { ...(retiresInMs !== undefined && { retiresInMs }), ...(next !== undefined && { replacement: next }) };
  return [{ ...ref, ...written, ...more, contextTokens: context, features: has }];
}

function routeOf(
  id: string,
  { model: name, features: uses, requests, largest, tickets, ...written }: z.output<typeof route>,
): SimulatedRoute[] {
  const baseline = parseModelRef(name);
  if (baseline === undefined) return [];
  const { cost_usd: costUsd, worse_answers: worseAnswers, bad_answers: badAnswers, cost_ratio: costRatio } = written;
  const live = {
    ticketsPerMinute: written.tickets_per_minute,
    quality: written.quality,
    candidateQuality: written.candidate_quality,
    candidateLost: written.candidate_lost,
    candidateHangs: written.candidate_hangs,
    followers: written.followers,
    staleFollowers: written.stale_followers,
  };
  const onTrial = written.trial === undefined ? undefined : parseModelRef(written.trial.model);
  const trial = written.trial !== undefined && onTrial !== undefined && { trial: trialOf(written.trial, onTrial) };
  const past = { requests, largestTokens: largest, tickets, costUsd, worseAnswers, badAnswers, costRatio };
  return [{ id, baseline, features: uses, ...past, ...live, ...trial }];
}

function trialOf({ new_tickets: newTickets, ...written }: NonNullable<z.output<typeof route>["trial"]>, model: ModelRef): SimulatedTrial {
  return { ...written, model, newTickets };
}

function promptOf(name: string, written: z.output<typeof prompt>): SimulatedPrompt {
  return {
    name,
    provider: written.provider,
    model: written.model,
    hit: written.hit,
    achievable: written.achievable,
    predictedHit: written.predicted_hit,
    lostUsdPerDay: written.lost_usd_per_day,
    ...(written.blocked !== undefined && { blocked: written.blocked }),
    ticketTokens: written.ticket_tokens,
    ticketsPerMinute: written.tickets_per_minute,
    canaryHit: written.canary_hit,
    promotedHit: written.promoted_hit,
    costRatio: written.cost_ratio,
    worseAnswers: written.worse_answers,
    quality: written.quality,
    canaryQuality: written.canary_quality,
  };
}
