import { z } from "zod";
import type { JournalEntry } from "../core/journal.ts";

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
  controls: z.looseObject({ version: z.number(), gate: z.enum(["open", "paused"]), reason: z.string() }),
  spentMicroUsd: z.number(),
  running: z.number(),
  queued: z.number(),
  allowanceMicroUsdPerSecond: z.number(),
});

const documentSchema = z.looseObject({
  runbook: z.looseObject({ steps: z.array(z.looseObject({ id: z.string(), name: z.string() })) }),
});

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
  /** The steps of a runbook, in order. */
  steps(runbook: string): Promise<readonly { readonly id: string; readonly name: string }[]>;
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
    run: async (id) => runSchema.parse(await send("GET", `/api/runs/${encodeURIComponent(id)}`)),
    budget: async (id) => budgetSchema.parse(await send("GET", `/api/budgets/${encodeURIComponent(id)}`)),
    steps: async (runbook) => documentSchema.parse(await send("GET", `/api/runbooks/${encodeURIComponent(runbook)}`)).runbook.steps,
    async defineBudget({ id, ...budget }) {
      await send("PUT", `/api/budgets/${encodeURIComponent(id)}`, budget);
    },
  };
}
