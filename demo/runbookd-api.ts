import { z } from "zod";
import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";

const summarySchema = z.looseObject({
  id: z.string(),
  runbookId: z.string(),
  state: z.string(),
  outcome: z.string().optional(),
  acceptedAt: z.number(),
  target: z.string().optional(),
});
const journalSchema = z.array(
  z.custom<JournalEntry>((value) => z.looseObject({ kind: z.string(), at: z.number() }).safeParse(value).success),
);
const runSchema = z.looseObject({
  summary: summarySchema,
  journal: journalSchema,
  runbookSource: z.string().optional(),
  report: z.looseObject({ text: z.string() }).optional(),
});
const budgetSchema = z.looseObject({
  budget: z.looseObject({ id: z.string(), limitMicroUsd: z.number() }),
  controls: z.looseObject({
    version: z.number(),
    gate: z.enum(["open", "paused"]),
    reason: z.string(),
    limits: z.looseObject({ maxAttempts: z.number().nullable() }),
  }),
  spentMicroUsd: z.number(),
  committedMicroUsd: z.number(),
  estimatedMicroUsd: z.number(),
  running: z.number(),
  queued: z.number(),
  allowanceMicroUsdPerSecond: z.number(),
});

const documentSchema = z.looseObject({
  runbook: z.looseObject({ steps: z.array(z.looseObject({ id: z.string(), name: z.string() })) }),
});

const batchSchema = z.looseObject({
  state: z.string(),
  gate: z.string(),
  pilotPassed: z.boolean(),
  concurrencyNow: z.number().nullable(),
  spentMicroUsd: z.number(),
  reservedMicroUsd: z.number(),
  rateLimited: z.number(),
  counts: z.record(z.string(), z.number()),
  progress: z.looseObject({ tickets: z.number(), ended: z.number(), etaAt: z.number().nullable(), forecastMicroUsd: z.number() }),
  stop: z.looseObject({ detail: z.string() }).nullable(),
});
const ticketsSchema = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), state: z.string(), reason: z.string() })),
  nextCursor: z.string().optional(),
});

const armSchema = z.looseObject({ exposed: z.number(), ended: z.number(), quality: z.number() });
const rolloutSchema = z.looseObject({
  rollout: z.looseObject({
    id: z.string(),
    state: z.string(),
    step: z.number(),
    plan: z.looseObject({ steps: z.array(z.number()) }),
    decisions: z.array(z.looseObject({ at: z.number(), decision: z.string(), reason: z.string(), share: z.number() })),
    endedAt: z.number().optional(),
  }),
  strata: z.array(z.looseObject({ step: z.number(), share: z.number(), canary: armSchema, baseline: armSchema })),
  verdict: z.looseObject({
    cost: z.union([
      z.looseObject({ kind: z.literal("compared"), logRatio: z.number(), halfWidthCheap: z.number() }),
      z.looseObject({ kind: z.enum(["free", "unknown"]) }),
    ]),
  }),
});

/** A rollout as the API tells it. */
export type RolloutView = z.output<typeof rolloutSchema>;

const rolloutsSchema = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), subject: z.looseObject({ kind: z.string(), to: z.unknown() }) })),
});

const findingsSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      security: z
        .looseObject({
          id: z.string(),
          source: z.string(),
          ref: z.string(),
          state: z.string(),
          verdict: z.looseObject({ class: z.string(), unknown: z.array(z.string()) }).nullable(),
        })
        .optional(),
    }),
  ),
});

/** A security finding as the API shows it. */
export type FindingView = NonNullable<z.output<typeof findingsSchema>["items"][number]["security"]>;

const flagViewSchema = z.looseObject({
  state: z.enum(["on", "off"]),
  version: z.number(),
  followers: z.looseObject({ followers: z.number(), current: z.number() }),
});

/** A flag as the API shows it, with the processes that follow it. */
export type FlagView = z.output<typeof flagViewSchema>;

const questionSchema = z.looseObject({
  question: z.looseObject({
    id: z.string(),
    runId: z.string(),
    stepId: z.string(),
    kind: z.string(),
    text: z.string(),
    answers: z.array(z.string()),
    planSha: z.string().optional(),
  }),
});

/** An open question as the API shows it. */
export type QuestionView = z.output<typeof questionSchema>["question"];

const usageSchema = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), at: z.number(), costMicroUsd: z.number() })),
});

/** A usage event as the API tells it. */
export type UsageView = z.output<typeof usageSchema>["items"][number];

/** A batch as the API tells it. */
export type BatchView = z.output<typeof batchSchema>;

/** A ticket as the API tells it. */
export type TicketView = z.output<typeof ticketsSchema>["items"][number];

/** A run as the API tells it. */
export type RunView = z.output<typeof runSchema>;

/** A budget as the API tells it. */
export type BudgetView = z.output<typeof budgetSchema>;

/** What a person with an admin's token may do over HTTP: the demo looks from outside and has no other way in. */
export interface RunbookdApi {
  /** The newest run of this runbook. */
  newestRun(runbook: string): Promise<string | undefined>;
  run(id: string): Promise<RunView>;
  budget(id: string): Promise<BudgetView>;
  batch(id: string): Promise<BatchView>;
  /** Every ticket of a batch, each from its own record. */
  ticketsOf(batch: string): Promise<readonly TicketView[]>;
  /** Starts a run by hand and answers its id. */
  startRun(runbook: string, params: Readonly<Record<string, string | number>>): Promise<string>;
  /** Rollouts of the last thirty days: their ids and what they change. */
  rollouts(): Promise<z.output<typeof rolloutsSchema>["items"]>;
  rollout(id: string): Promise<RolloutView>;
  /** Questions that wait for a person, oldest first. */
  questions(): Promise<readonly QuestionView[]>;
  answer(question: QuestionView, answer: string, reason: string): Promise<void>;
  /** Security findings of a feature, at most 200. */
  findings(feature: string): Promise<readonly FindingView[]>;
  flag(key: string): Promise<FlagView>;
  /** Defines a flag that does not exist yet. */
  defineFlag(key: string, flag: Readonly<Record<string, unknown>>): Promise<void>;
  /** An address that signs a browser in, once and within ten minutes. */
  signInLink(): Promise<string>;
  /** Ends a run before its next effect. */
  abortRun(id: string, reason: string): Promise<void>;
  /** The steps of a runbook, in order. */
  steps(runbook: string): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** The newest 10,000 usage events. */
  newestUsage(): Promise<readonly UsageView[]>;
  /** Reports requests of the past. */
  reportUsage(events: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  setRoute(id: string, change: Readonly<Record<string, unknown>>): Promise<void>;
  defineBudget(budget: {
    readonly id: string;
    readonly limitMicroUsd: number;
    readonly periodMs: number;
    readonly periodStartsAt: number;
  }): Promise<void>;
}

/** Rejects when runbookd does not answer 2xx. */
export function createRunbookdApi(url: string, token: string): RunbookdApi {
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const list = z.looseObject({ items: z.array(summarySchema) });
  return {
    newestRun: async (runbook) => list.parse(await send("GET", `/api/runs?limit=1&runbook=${encodeURIComponent(runbook)}`)).items[0]?.id,
    signInLink: async () => `${url}${z.looseObject({ path: z.string() }).parse(await send("POST", "/api/session/links")).path}`,
    run: async (id) => runSchema.parse(await send("GET", `/api/runs/${encodeURIComponent(id)}`)),
    budget: async (id) => budgetSchema.parse(await send("GET", `/api/budgets/${encodeURIComponent(id)}`)),
    steps: async (runbook) => documentSchema.parse(await send("GET", `/api/runbooks/${encodeURIComponent(runbook)}`)).runbook.steps,
    batch: async (id) => batchSchema.parse(await send("GET", `/api/batches/${encodeURIComponent(id)}`)),
    async ticketsOf(batch) {
      const tickets: TicketView[] = [];
      let cursor = "";
      do {
        const query = `batch=${encodeURIComponent(batch)}&limit=200${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
        const page = ticketsSchema.parse(await send("GET", `/api/tickets?${query}`));
        tickets.push(...page.items);
        cursor = page.nextCursor ?? "";
      } while (cursor !== "");
      return tickets;
    },
    startRun: async (runbook, params) =>
      z.looseObject({ runId: z.string() }).parse(await send("POST", "/api/runs", { runbook, params })).runId,
    rollouts: async () => rolloutsSchema.parse(await send("GET", "/api/rollouts")).items,
    rollout: async (id) => rolloutSchema.parse(await send("GET", `/api/rollouts/${encodeURIComponent(id)}`)),
    questions: async () =>
      z
        .looseObject({ items: z.array(questionSchema) })
        .parse(await send("GET", "/api/approvals"))
        .items.map(({ question }) => question),
    async answer({ id, planSha }, answer, reason) {
      await send("POST", `/api/approvals/${encodeURIComponent(id)}`, { answer, reason, ...(planSha !== undefined && { planSha }) });
    },
    findings: async (feature) =>
      findingsSchema
        .parse(await send("GET", `/api/findings?kind=security&limit=200&feature=${encodeURIComponent(feature)}`))
        .items.flatMap(({ security }) => security ?? []),
    flag: async (key) => flagViewSchema.parse(await send("GET", `/api/flags/${encodeURIComponent(key)}`)),
    async defineFlag(key, flag) {
      await send("PUT", `/api/flags/${encodeURIComponent(key)}`, { ...flag, expected: 0 });
    },
    async abortRun(id, reason) {
      await send("POST", `/api/runs/${encodeURIComponent(id)}/abort`, { reason });
    },
    newestUsage: async () => usageSchema.parse(await send("GET", "/api/usage?limit=10000")).items,
    async reportUsage(events) {
      await send("POST", "/api/usage", { events });
    },
    async setRoute(id, change) {
      await send("PUT", `/api/routes/${encodeURIComponent(id)}`, change);
    },
    async defineBudget({ id, ...budget }) {
      await send("PUT", `/api/budgets/${encodeURIComponent(id)}`, budget);
    },
  };
}
