import { z } from "zod";
import { createAnthropicBatches } from "../../adapters/anthropic/create-anthropic-batches.ts";
import { isJsonObject, type Json } from "../../core/json.ts";
import { connectRedis } from "../../redis/connection.ts";
import { createTicketStore } from "../../redis/workload-tickets.ts";
import { createRunbookdClient, type RunbookdClient } from "../../sdk/client.ts";
import { startAnthropicBatchServer } from "../../simulators/provider-batches/anthropic-batch-server.ts";
import { createPriceTable } from "../../workload/price-table.ts";
import { shippedPrices } from "../../workload/prices.ts";
import { customIdOf, type ProviderBatches, type ProviderResult } from "../../workload/provider-batch.ts";
import { reconcileResults, type ItemVerdict, type SubmittedItem } from "../../workload/reconcile-results.ts";
import type { Ticket, TicketStore } from "../../workload/ticket.ts";
import type { Stage } from "../scenario.ts";
import { assignments, standingText } from "../workload/assignments.ts";
import { ticketOf } from "../workload/tickets.ts";
import { waitUntil } from "../wait-until.ts";
import { batchPlan } from "./batch-plan.ts";

/** What the provider batch came to, from the provider's side and from ours. */
export interface ProviderSeen {
  submissions: number;
  expired: number;
  resubmitted: number;
  succeeded: number;
  billedMicroUsd: number;
}

interface Application {
  readonly store: TicketStore;
  readonly client: RunbookdClient;
  readonly provider: ProviderBatches;
  readonly stage: Stage;
  readonly seen: ProviderSeen;
}

const holder = "provider-batch";
const estimateMicroUsd = 20_000;
const [classify] = assignments;
const prices = createPriceTable(shippedPrices);

/**
 * The part of the application whose tickets are single calls: they go to the provider as one batch at half the price. The first submission loses a part of
 * its items to expiry, and its results come shuffled and twice; only what expired is submitted again. Adds to `seen` as it goes.
 */
export async function workAtProvider(stage: Stage, seen: ProviderSeen): Promise<void> {
  const { system, clock } = stage;
  await using server = await startAnthropicBatchServer({ durationMs: 3000, seed: stage.options.seed });
  const redis = connectRedis({ url: system.redisUrl }, "worker");
  const client = createRunbookdClient({ url: system.runbookdUrl, token: system.workloadToken });
  const provider = createAnthropicBatches({ baseUrl: server.url, apiKey: "sk-ant-api03-demo" }, clock);
  const application: Application = { store: createTicketStore({ redis, clock }), client, provider, stage, seen };
  try {
    const quirks = [
      server.inject({ kind: "expiry", share: batchPlan.expiredShare }),
      server.inject({ kind: "shuffled" }),
      server.inject({ kind: "double_results" }),
    ];
    let items = await takeTickets(application);
    while (items.length > 0) {
      const again = await submitOnce(application, items);
      for (const quirk of quirks.splice(0)) quirk[Symbol.dispose]();
      items = again.map((item) => ({ ...item, resubmissions: item.resubmissions + 1 }));
      seen.resubmitted += items.length;
    }
    seen.billedMicroUsd = server.stats().billedMicroUsd;
  } finally {
    await client.close();
    redis.disconnect();
  }
}

type Held = Omit<SubmittedItem, "customId"> & { readonly ticket: Ticket; readonly leaseId: string };

/** Admission is asked for every ticket, as everywhere. */
async function takeTickets({ store, client, stage }: Application): Promise<readonly Held[]> {
  const listed = await stage.system.api.ticketsOf(batchPlan.providerBatch);
  return Promise.all(
    listed.map(async ({ id }) => {
      const ticket = await store.hold(id, holder);
      if (ticket === undefined) throw new Error(`There is no ticket ${id}.`);
      const { budget, queue } = ticket;
      const answer = await client.admit({ ticketId: id, budget, queue, batchId: batchPlan.providerBatch, estimateMicroUsd });
      if (answer.kind !== "admitted") throw new Error(`${id} was not admitted: ${answer.detail}`);
      if (!(await store.write(id, holder, { state: "running", reason: "" }))) throw new Error(`${id} was taken by somebody else.`);
      return { ticketId: id, resubmissions: 0, ticket, leaseId: answer.leaseId };
    }),
  );
}

/** One submission from its hand-over to its end; answers what must be submitted again. */
async function submitOnce(application: Application, held: readonly Held[]): Promise<readonly Held[]> {
  const { provider, stage, seen, client } = application;
  const { clock, signal } = stage;
  seen.submissions += 1;
  const key = `${batchPlan.providerBatch}-${seen.submissions}`;
  const items = held.map((one) => ({ ...one, customId: customIdOf(key, one.ticketId) }));
  const id = await provider.submit({ key, items: items.map(({ customId, ticket }) => ({ customId, body: bodyOf(ticket) })) }, signal);
  const ended = await waitUntil(
    clock,
    `The provider's batch ${id} did not end`,
    async () => {
      // What a long batch has reserved must not expire while it runs.
      await Promise.all(held.map(async ({ ticket, leaseId }) => client.extend(ticket.budget, leaseId)));
      const status = await provider.read(id, signal);
      return status.state === "ended" ? status : undefined;
    },
    { withinMs: 60_000, signal },
  );
  const results: ProviderResult[] = [];
  for await (const result of provider.results(id, signal)) results.push(result);
  const reconciled = reconcileResults(results, {
    provider: provider.provider,
    items,
    prices,
    endedAt: ended.endedAt ?? clock.now(),
    isOverdue: false,
  });
  const verdicts = new Map(reconciled.verdicts.map(({ item, verdict }) => [item.ticketId, verdict]));
  const again: Held[] = [];
  for (const one of held) {
    const verdict = verdicts.get(one.ticketId);
    if (verdict === undefined) throw new Error(`${one.ticketId} has no verdict.`);
    if (verdict.kind === "resubmit") {
      if (verdict.reason === "expired") seen.expired += 1;
      again.push(one);
    } else await endTicket(application, one.ticket, verdict);
  }
  return again;
}

async function endTicket({ store, client, seen, stage }: Application, ticket: Ticket, verdict: ItemVerdict): Promise<void> {
  const { id: ticketId, budget, queue, kind } = ticket;
  const batchId = batchPlan.providerBatch;
  const place = { budget, queue, ticketId, batchId };
  if (verdict.kind === "succeeded") {
    seen.succeeded += 1;
    const at = stage.clock.now();
    client.reportUsage({
      id: verdict.answerId,
      at,
      provider: "anthropic",
      model: verdict.model,
      operation: "classify",
      prompt: "triage",
      ...place,
      usage: usageOf(verdict.answer),
      shape: "anthropic-messages",
    });
    await client.flush();
  }
  const outcome = verdict.kind === "succeeded" ? "succeeded" : "failed";
  const isOurs = await store.write(ticketId, holder, { state: outcome, reason: "reason" in verdict ? verdict.reason : "", turn: 1 });
  if (!isOurs) throw new Error(`${ticketId} was taken by somebody else.`);
  await client.release({ ...place, kind, outcome });
}

function bodyOf({ payload, id }: Ticket): { readonly [field: string]: Json } {
  const { number } = z.object({ number: z.coerce.number().int() }).parse(payload);
  const { title, body } = ticketOf(number);
  return {
    model: classify?.model ?? "",
    max_tokens: 60,
    system: [{ type: "text", text: standingText("triage"), cache_control: { type: "ephemeral" } }],
    messages: [{ role: "user", content: `${title}\n\n${body}\n\n${classify?.instruction ?? ""}` }],
    metadata: { user_id: id },
  };
}

function usageOf(answer: Json): Json {
  return isJsonObject(answer) ? (answer["usage"] ?? null) : null;
}
