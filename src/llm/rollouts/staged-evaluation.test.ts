import { describe, expect, it } from "@jest/globals";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryTickets } from "../../../test/fakes/memory-tickets.ts";
import { trialOf } from "../tickets/trial.ts";
import type { EvaluationRequest } from "./evaluator.ts";
import { createStagedEvaluators } from "./staged-evaluation.ts";

const never = new AbortController().signal;
const from = { provider: "anthropic", model: "claude-sonnet-4-5" };
const to = { provider: "anthropic", model: "claude-haiku-4-5" };
const request: EvaluationRequest = {
  subject: { kind: "model", route: "implement", from, to },
  tickets: 2,
  ticketIds: ["GH-1", "GH-2"],
};

async function aWorld() {
  const clock = createFakeClock();
  const tickets = createMemoryTickets(clock);
  for (const id of ["GH-1", "GH-2"])
    await tickets.add(newTicketSchema.parse({ id, budget: "checkout", queue: "code", payload: { base_sha: "a".repeat(40), title: id } }));
  await tickets.add(newTicketSchema.parse({ id: "GH-3", budget: "checkout", payload: { title: "no base" } }));
  const events: UsageEvent[] = [];
  const enqueued: string[] = [];
  const stopped: string[] = [];
  const evaluators = createStagedEvaluators({
    tickets,
    queue: { enqueueAll: async (tickets, queue) => void enqueued.push(...tickets.map(({ id }) => `${queue} ${id}`)) },
    ledger: {
      usagePages: async function* () {
        yield events;
      },
      cancelTicket: async (budget, id) => void stopped.push(`${budget} ${id}`),
    },
    clock,
  });
  const evaluator = await evaluators.open(request);
  if (evaluator === undefined) throw new Error("It cannot work on them.");
  const { id } = await evaluator.start(request, "key-1", never);
  const trials = enqueued.map((line) => line.replace("code ", ""));
  /** Ends a trial, with usage of the model that it should use unless another one is named. */
  const finish = async (trial: string, state: "succeeded" | "dead" | "cancelled", model?: string) => {
    const used = model ?? (trial.endsWith("baseline") ? from.model : to.model);
    if (used !== "") events.push(aUsageEvent({ id: `r-${events.length}`, ticketId: trial, model: used }, clock.now()));
    await tickets.claim(trial, "w");
    await tickets.write(trial, "w", { state });
  };
  const read = async () => evaluator.read(id, never);
  return { tickets, evaluators, evaluator, id, trials, enqueued, stopped, finish, read };
}

describe("our own evaluator of tickets that are code work", () => {
  it("puts each ticket into its queue twice more, with the model, once for a key", async () => {
    const { tickets, evaluator, id, trials, enqueued } = await aWorld();
    expect(trials).toHaveLength(4);
    const trial = await tickets.get(trials[1] ?? "");
    expect(trial).toMatchObject({ budget: "checkout", queue: "code", variant: "evaluation", state: "queued" });
    expect(trial?.payload).toEqual({
      base_sha: "a".repeat(40),
      title: "GH-1",
      evaluation: { ticket: "GH-1", model: "anthropic/claude-haiku-4-5" },
    });
    expect(trial && trialOf(trial)).toEqual({ ticket: "GH-1", model: "anthropic/claude-haiku-4-5" });
    expect(await evaluator.start(request, "key-1", never)).toEqual({ id });
    expect(new Set(enqueued).size).toBe(4);
  });

  it("answers pairs when all trials have ended: good when they passed, at what their requests have cost", async () => {
    const { trials, finish, read } = await aWorld();
    const [oldOne = "", newOne = "", oldTwo = "", newTwo = ""] = trials;
    await finish(oldOne, "succeeded");
    expect(await read()).toEqual({ kind: "running", done: 0, of: 2, costMicroUsd: 3000 });
    await finish(newOne, "dead");
    await finish(oldTwo, "succeeded");
    await finish(newTwo, "succeeded");
    expect(await read()).toEqual({
      kind: "done",
      costMicroUsd: 8000,
      pairs: [
        {
          ticketId: "GH-1",
          baseline: { quality: 1, failed: false, refused: false, costMicroUsd: 3000 },
          candidate: { quality: 0, failed: true, refused: false, costMicroUsd: 1000 },
        },
        {
          ticketId: "GH-2",
          baseline: { quality: 1, failed: false, refused: false, costMicroUsd: 3000 },
          candidate: { quality: 1, failed: false, refused: false, costMicroUsd: 1000 },
        },
      ],
    });
  });

  it.each([
    ["another model", from.model],
    ["no usage", ""],
  ])("shows nothing when a command has worked with %s", async (_what, model) => {
    const { trials, finish, read } = await aWorld();
    for (const trial of trials) await finish(trial, "succeeded", trial.endsWith("candidate") ? model : undefined);
    expect(await read()).toEqual({
      kind: "failed",
      reason: expect.stringContaining("GH-1 was worked on without anthropic/claude-haiku-4-5"),
    });
  });

  it("has no pair of a trial that was cancelled, and takes one that failed before it asked a model for failed", async () => {
    const { trials, finish, read } = await aWorld();
    const [oldOne = "", newOne = "", oldTwo = "", newTwo = ""] = trials;
    await finish(oldOne, "succeeded");
    await finish(newOne, "cancelled");
    await finish(oldTwo, "succeeded");
    await finish(newTwo, "dead", "");
    expect(await read()).toMatchObject({
      kind: "done",
      pairs: [{ ticketId: "GH-2", candidate: { quality: 0, failed: true, costMicroUsd: 0 } }],
    });
  });

  it("ends the trials when it is stopped, those that run too", async () => {
    const { tickets, evaluator, id, trials, stopped } = await aWorld();
    await tickets.claim(trials[0] ?? "", "w");
    await tickets.write(trials[0] ?? "", "w", { state: "running" });
    await evaluator.stop(id, never);
    expect(stopped).toEqual(trials.map((trial) => `checkout ${trial}`));
    expect((await tickets.get(trials[1] ?? ""))?.state).toBe("cancelled");
  });

  it("cannot work on a ticket that is not there or does not name its base, nor on prompts", async () => {
    const { evaluators } = await aWorld();
    for (const ticketIds of [["GH-1", "GH-3"], ["GH-1", "GH-9"], []])
      expect(await evaluators.open({ ...request, ticketIds })).toBeUndefined();
    const prompts = { kind: "prompt", prompt: "implement", from: 1, to: 2 } as const;
    expect(await evaluators.open({ ...request, subject: prompts })).toBeUndefined();
  });
});
