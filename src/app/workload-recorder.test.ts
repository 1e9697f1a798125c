import { describe, expect, it } from "@jest/globals";
import type { Batch } from "../../packages/sdk/src/wire/batches.ts";
import { newTicketSchema } from "../../packages/sdk/src/wire/tickets.ts";
import { aBatch } from "../../test/builders/a-batch.ts";
import { aUsageEvent } from "../../test/builders/a-usage-report.ts";
import { contractTimes } from "../../test/contracts/describe-workload-ledger.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryLedger } from "../../test/fakes/memory-ledger.ts";
import { createMemoryTickets } from "../../test/fakes/memory-tickets.ts";
import { noLimits } from "../llm/budgets/controls.ts";
import { createMetrics } from "../platform/telemetry/metrics.ts";
import { observeWorkload } from "./observe-workload.ts";
import { createWorkloadRecorder } from "./workload-recorder.ts";

const now = Date.UTC(2026, 0, 5);

async function textOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.metrics()).split("\n");
}

describe("createWorkloadRecorder", () => {
  it("counts cost, and tokens as partitions that sum to the total", async () => {
    const metrics = createMetrics();
    const usage = { input_tokens: 10, cache_read_input_tokens: 20, cache_creation_input_tokens: 30, output_tokens: 5 };
    createWorkloadRecorder(metrics).usage([aUsageEvent({ id: "r1", usage, latencyMs: 1500 }, now)]);
    const lines = await textOf(metrics);
    const of = 'provider="anthropic",model="claude-sonnet-4-5",prompt="planner"';
    expect(lines).toEqual(
      expect.arrayContaining([
        `llm_input_tokens_total{${of},token_cache="none"} 10`,
        `llm_input_tokens_total{${of},token_cache="read"} 20`,
        `llm_input_tokens_total{${of},token_cache="write"} 30`,
        `llm_output_tokens_total{${of},token_phase="response"} 5`,
        `llm_output_tokens_total{${of},token_phase="reasoning"} 0`,
        `llm_requests_total{${of},outcome="ok"} 1`,
      ]),
    );
    // 10×3 + 20×0.3 + 30×3.75 + 5×15 = 223.5 micro-USD, rounded half up.
    expect(lines).toContain(`llm_cost_usd_total{${of},budget="checkout"} 0.000224`);
    expect(lines.some((line) => line.startsWith('gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="plan"'))).toBe(true);
  });

  it("counts what has no price as unpriced, and not as a cost of zero", async () => {
    const metrics = createMetrics();
    createWorkloadRecorder(metrics).usage([aUsageEvent({ id: "r1", model: "new-model" }, now)]);
    const lines = await textOf(metrics);
    expect(lines).toContain('llm_unpriced_tokens_total{provider="anthropic",model="new-model"} 1000');
    expect(lines.some((line) => line.startsWith("llm_cost_usd_total{"))).toBe(false);
  });

  it("counts an anomaly by its reason, and none of its tokens", async () => {
    const metrics = createMetrics();
    createWorkloadRecorder(metrics).usage([aUsageEvent({ id: "r1", usage: { input_tokens: -1, output_tokens: 1 } }, now)]);
    const lines = await textOf(metrics);
    expect(lines).toContain('llm_usage_anomaly_total{reason="not_a_count"} 1');
    expect(lines.some((line) => line.startsWith("llm_input_tokens_total{"))).toBe(false);
  });

  it("never makes a label of what is beyond its cap", async () => {
    const metrics = createMetrics();
    const recorder = createWorkloadRecorder(metrics);
    recorder.usage(Array.from({ length: 100 }, (_, index) => aUsageEvent({ id: `r${index}`, prompt: `p${index}` }, now)));
    const prompts = (await textOf(metrics)).filter((line) => line.startsWith("llm_requests_total{"));
    expect(prompts).toHaveLength(41);
    expect(prompts.some((line) => line.includes('prompt="other"') && line.endsWith(" 60"))).toBe(true);
  });

  it("counts an ended ticket with its cost, duration and attempts", async () => {
    const metrics = createMetrics();
    const ticket = {
      ticketId: "T",
      budget: "checkout",
      queue: "fast",
      variant: "baseline",
      costMicroUsd: 20_000,
      durationMs: 2000,
      attempts: 2,
    };
    const recorder = createWorkloadRecorder(metrics);
    recorder.finished({ ...ticket, outcome: "succeeded" });
    recorder.finished({ ...ticket, outcome: "dead", failureClass: "the model said: sk-secret" });
    const lines = await textOf(metrics);
    expect(lines).toContain('llm_tickets_finished_total{queue="fast",variant="baseline",outcome="succeeded"} 1');
    expect(lines).toContain('llm_ticket_cost_usd_sum{queue="fast",variant="baseline",outcome="succeeded"} 0.02');
    expect(lines).toContain('llm_ticket_dead_letter_total{queue="fast",failure_class="other"} 1');
    recorder.finished({ ...ticket, outcome: "dead", failureClass: "context_overflow" });
    expect(await textOf(metrics)).toContain('llm_ticket_dead_letter_total{queue="fast",failure_class="context_overflow"} 1');
  });
});

describe("observeWorkload", () => {
  const open = async () => {
    const clock = createFakeClock(now);
    const metrics = createMetrics();
    const budgets = createMemoryLedger({ clock, times: contractTimes });
    const tickets = createMemoryTickets(clock);
    await budgets.define({ id: "checkout", limitMicroUsd: 3_600_000_000, periodMs: 3_600_000, periodStartsAt: now });
    await budgets.admit({ ticketId: "T-1", budget: "checkout", queue: "fast", estimateMicroUsd: 10_000 });
    await budgets.record([aUsageEvent({ id: "r1" }, now)]);
    await tickets.add(newTicketSchema.parse({ id: "T-2", budget: "checkout", queue: "fast" }));
    const running = new Map<string, Batch>();
    observeWorkload(metrics, {
      budgets,
      tickets,
      batches: { active: async () => [...running.keys()], get: async (id) => running.get(id) },
      clock,
      stalledAfterMs: 120_000,
    });
    return { running, metrics, budgets, tickets, clock };
  };

  it("reads budgets, gates and tickets at every scrape", async () => {
    const { metrics, budgets, clock } = await open();
    await clock.advance(60_000 - 1);
    expect(await textOf(metrics)).toEqual(
      expect.arrayContaining([
        'llm_budget_limit_usd{budget="checkout"} 3600',
        'llm_budget_spent_usd{budget="checkout"} 0.003',
        'llm_budget_committed_usd{budget="checkout"} 0.007',
        'llm_budget_allowance_usd_per_second{budget="checkout"} 1',
        'llm_budget_period_remaining_seconds{budget="checkout"} 3540.001',
        'llm_queue_paused{queue="fast"} 0',
        'llm_batch_tickets{queue="fast",state="queued"} 1',
        'llm_batch_tickets{queue="fast",state="running"} 0',
      ]),
    );
    await budgets.compareAndSet("checkout", 1, { gate: "paused", reason: "burning" });
    expect(await textOf(metrics)).toContain('llm_queue_paused{queue="fast"} 1');
  });

  it("counts a ticket as stalled in the stage of its last sign of life, until it shows another", async () => {
    const { metrics, tickets, clock } = await open();
    await tickets.hold("T-2", "a");
    await tickets.write("T-2", "a", { state: "running", stage: "implement" });
    await clock.advance(120_000);
    const lines = async () => (await textOf(metrics)).filter((line) => line.startsWith("llm_tickets_stalled{"));
    expect(await lines()).toEqual([]);
    await clock.advance(1);
    expect(await lines()).toEqual(['llm_tickets_stalled{queue="fast",stage="implement"} 1']);
    await tickets.write("T-2", "a", { stage: "no stage of ours" });
    expect(await lines()).toEqual([]);
    await clock.advance(120_001);
    expect(await lines()).toEqual(['llm_tickets_stalled{queue="fast",stage="other"} 1']);
  });

  it("tells how many tickets of a queue may run at once, by its budgets and by its batches, whichever is less", async () => {
    const { metrics, budgets, running } = await open();
    const limitLine = async () => (await textOf(metrics)).filter((line) => line.startsWith("llm_queue_concurrency_limit{"));
    expect(await limitLine()).toEqual([]);
    running.set("a", aBatch({ id: "a", limits: { concurrency: 8 }, concurrencyNow: 4 }));
    running.set("b", aBatch({ id: "b", limits: { concurrency: 3 } }));
    running.set("other", aBatch({ id: "other", queue: "slow", limits: { concurrency: 1 } }));
    running.set("gone", aBatch({ id: "gone", state: "cancelled", limits: { concurrency: 1 } }));
    expect(await limitLine()).toEqual(['llm_queue_concurrency_limit{queue="fast"} 7']);
    await budgets.compareAndSet("checkout", 1, { limits: { ...noLimits, concurrency: 5 } });
    expect(await limitLine()).toEqual(['llm_queue_concurrency_limit{queue="fast"} 5']);
    running.set("free", aBatch({ id: "free" }));
    await budgets.compareAndSet("checkout", 2, { limits: noLimits });
    expect(await limitLine()).toEqual([]);
  });

  it("shows nothing instead of the last value while the ledger cannot be read", async () => {
    const clock = createFakeClock(now);
    const metrics = createMetrics();
    const ledger = createMemoryLedger({ clock, times: contractTimes });
    await ledger.define({ id: "checkout", limitMicroUsd: 1, periodMs: 1000, periodStartsAt: 0 });
    let down = false;
    const list = async () => {
      if (down) throw new Error("down");
      return ledger.list();
    };
    observeWorkload(metrics, {
      budgets: { list, read: (id) => ledger.read(id) },
      tickets: createMemoryTickets(clock),
      batches: { active: async () => [], get: async () => undefined },
      clock,
      stalledAfterMs: 120_000,
    });
    expect((await textOf(metrics)).some((line) => line.startsWith("llm_budget_limit_usd{"))).toBe(true);
    down = true;
    expect((await textOf(metrics)).some((line) => line.startsWith("llm_budget_limit_usd{"))).toBe(false);
  });
});
