import { createProviderBatchStore } from "../../src/llm/batches/provider/redis-store.ts";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import type { ScenarioContext } from "../scenario.ts";
import { startAnthropicBatchServer } from "../simulators/provider-batches/anthropic-batch-server.ts";
import type { BatchServer } from "../simulators/provider-batches/batch-server.ts";
import { waitUntil } from "../wait-until.ts";
import { assignments, standingText } from "../workload/assignments.ts";
import { ticketOf } from "../workload/tickets.ts";
import { batchPlan } from "./batch-plan.ts";

/** What the provider batch came to, from the provider's side and from ours. */
export interface ProviderObservations {
  submissions: number;
  expired: number;
  resubmitted: number;
  succeeded: number;
  billedMicroUsd: number;
}

const [classify] = assignments;

/** A provider of batches, and the settings with which runbookd submits to it. */
export async function startProvider(
  seed: number,
): Promise<{ readonly server: BatchServer; readonly settings: Readonly<Record<string, string>> }> {
  const server = await startAnthropicBatchServer({ durationMs: 3000, seed });
  const keys = { ANTHROPIC_API_KEY: "sk-ant-api03-demo", ANTHROPIC_ADMIN_KEY: "sk-ant-admin01-demo" };
  return { server, settings: { ANTHROPIC_BASE_URL: server.url, ...keys } };
}

/** The file of single calls: JSON lines, each with the request that the provider answers. */
export function requestFile(first: number, count: number, kind: string): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const { title, body } = ticketOf(first + index);
    const request = {
      model: classify?.model ?? "",
      max_tokens: 60,
      system: [{ type: "text", text: standingText("triage"), cache_control: { type: "ephemeral" } }],
      messages: [{ role: "user", content: `${title}\n\n${body}\n\n${classify?.instruction ?? ""}` }],
    };
    return JSON.stringify({ ref: `acme/shop#${first + index}`, kind, request });
  });
  return `${lines.join("\n")}\n`;
}

/**
 * Watches runbookd with the provider: the first submission loses a part of its items to expiry, and its results come shuffled and twice; only what expired
 * is submitted again. `quirks` end with the first submission. Fills `seen`.
 */
export async function watchProvider(
  { system, clock, signal }: ScenarioContext,
  {
    server,
    quirks,
    observations,
  }: { readonly server: BatchServer; readonly quirks: Disposable[]; readonly observations: ProviderObservations },
): Promise<void> {
  const redis = connectRedis({ url: system.redisUrl }, "worker");
  try {
    const store = createProviderBatchStore(redis);
    await waitUntil(
      clock,
      "The batch at the provider did not end",
      async () => {
        const settled = (await store.closed()).filter(({ batchId }) => batchId === batchPlan.providerBatch);
        if (settled.length > 0) for (const quirk of quirks.splice(0)) quirk[Symbol.dispose]();
        const sum = (kind: "resubmit" | "succeeded") => settled.reduce((total, { counts }) => total + counts[kind], 0);
        observations.submissions = settled.length;
        observations.expired = sum("resubmit");
        observations.succeeded = sum("succeeded");
        const again = settled.filter(({ key }) => key.endsWith("+"));
        observations.resubmitted = again.reduce(
          (total, { counts }) => total + Object.values(counts).reduce((all, count) => all + count, 0),
          0,
        );
        return (await system.api.batch(batchPlan.providerBatch)).state === "done" ? true : undefined;
      },
      { withinMs: 90_000, signal },
    );
    observations.billedMicroUsd = server.stats().billedMicroUsd;
  } finally {
    redis.disconnect();
  }
}
