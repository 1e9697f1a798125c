import { describe, expect, it } from "@jest/globals";
import type { ReleaseInput } from "../../../../packages/sdk/src/wire/admissions.ts";
import { newTicketSchema } from "../../../../packages/sdk/src/wire/tickets.ts";
import type { UsageEvent } from "../../../../packages/sdk/src/wire/usage.ts";
import { aCountedUsage } from "../../../../test/builders/a-usage-report.ts";
import { createFakeClock } from "../../../../test/fakes/fake-clock.ts";
import { createMemoryTickets } from "../../../../test/fakes/memory-tickets.ts";
import { noTokens } from "../../usage/token-partition.ts";
import type { OpenProviderBatch } from "./open-provider-batch.ts";
import { createProviderTickets } from "./provider-tickets.ts";
import type { ItemVerdict } from "./reconcile-results.ts";

const item = { customId: "c-1", ticketId: "t-1", resubmissions: 1 };
const batch: OpenProviderBatch = {
  key: "b-1/1",
  provider: "anthropic",
  batchId: "b-1",
  items: [item, { customId: "c-2", ticketId: "t-2", resubmissions: 0 }],
  state: "submitted",
  reason: "",
  notBefore: 0,
  cancel: false,
  revision: 2,
};
const answered = {
  answerId: "msg_1",
  model: "claude-sonnet-4-5",
  cost: { kind: "priced", tokens: { ...noTokens, uncached: 1000, output: 100 }, costMicroUsd: 2250 },
  answer: { text: "done" },
} as const;

async function aSide() {
  const clock = createFakeClock();
  const tickets = createMemoryTickets(clock);
  for (const [id, payload] of [
    ["t-1", { request: { model: "m" } }],
    ["t-2", { other: 1 }],
  ] as const)
    await tickets.add(newTicketSchema.parse({ id, budget: "checkout", batchId: "b-1", payload }));
  const events = new Map<string, UsageEvent>();
  const seen: UsageEvent[] = [];
  const releases: ReleaseInput[] = [];
  const side = createProviderTickets({
    tickets,
    ledger: {
      async record(list) {
        return list.map((event) => {
          const isNew = !events.has(event.id);
          events.set(event.id, event);
          return aCountedUsage(event, { kind: isNew ? "accepted" : "duplicate" });
        });
      },
    },
    publish: ({ usage }) => void seen.push(...usage.flatMap(({ kind, event }) => (kind === "accepted" ? [event] : []))),
    gate: { release: async (release) => void releases.push(release) },
    clock,
    pause: async () => undefined,
  });
  const settle = async (verdict: ItemVerdict) => {
    await side.settle(batch, item, verdict);
    const ticket = await tickets.get("t-1");
    return ticket === undefined ? undefined : { state: ticket.state, reason: ticket.reason, outcome: releases.at(-1)?.outcome };
  };
  return { side, settle, tickets, seen, releases };
}

describe("the tickets of a provider batch", () => {
  it("send the request of their payload; one without is left out", async () => {
    const { side } = await aSide();
    expect(await side.bodiesOf(batch)).toEqual([{ customId: "c-1", body: { model: "m" } }]);
  });

  it("end with the answer, which is counted once however often that is said", async () => {
    const { settle, tickets, seen } = await aSide();
    const verdict = { kind: "succeeded", ...answered } as const;
    expect(await settle(verdict)).toEqual({ state: "succeeded", reason: "", outcome: "succeeded" });
    expect(await settle(verdict)).toEqual({ state: "succeeded", reason: "", outcome: "succeeded" });
    expect((await tickets.get("t-1"))?.saved).toEqual({ text: "done" });
    expect(seen).toMatchObject([
      { id: "msg_1", costMicroUsd: 2250, serviceTier: "batch", attempt: 2, ticketId: "t-1", batchId: "b-1", outcome: "ok" },
    ]);
  });

  it.each<[ItemVerdict, { state: string; reason: string; outcome?: string }]>([
    [
      { kind: "dead", reason: "invalid_request", message: "no" },
      { state: "dead", reason: "invalid_request: no", outcome: "dead" },
    ],
    [{ kind: "canceled" }, { state: "cancelled", reason: "batch_cancelled", outcome: "cancelled" }],
    [
      { kind: "resubmit", reason: "expired" },
      { state: "waiting", reason: "provider_batch" },
    ],
    [
      { kind: "pause", reason: "provider_spend_limit" },
      { state: "waiting", reason: "provider_batch" },
    ],
    [
      { kind: "person", reason: "no_result" },
      { state: "waiting", reason: "no_result" },
    ],
    [
      { kind: "person", reason: "refusal", ...answered },
      { state: "waiting", reason: "refusal" },
    ],
  ])("become %j", async (verdict, expected) => {
    const { settle, releases } = await aSide();
    expect(await settle(verdict)).toEqual({ outcome: undefined, ...expected });
    expect(releases.at(-1)?.failureClass).toBe(verdict.kind === "dead" ? "invalid_request" : undefined);
  });

  it("bill a refusal, and show usage that has no price", async () => {
    const { settle, seen } = await aSide();
    await settle({ kind: "person", reason: "refusal", ...answered });
    await settle({
      kind: "succeeded",
      ...answered,
      answerId: "msg_2",
      cost: { kind: "unpriced", reason: "unknown_model", tokens: answered.cost.tokens },
    });
    expect(seen).toMatchObject([
      { outcome: "refusal", costMicroUsd: 2250 },
      { outcome: "ok", costMicroUsd: 0, unpriced: "unknown_model", tokens: { uncached: 1000 } },
    ]);
  });
});
