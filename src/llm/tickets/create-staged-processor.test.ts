import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryTickets } from "../../../test/fakes/memory-tickets.ts";
import { createMemoryCheckpoints } from "../../rehearsal/memory-checkpoints.ts";
import { createStagedProcessor } from "./create-staged-processor.ts";
import type { PhaseResult, PhaseTask } from "./implementer.ts";
import { parseStagedWork } from "./staged-work.ts";
import type { TurnResult } from "./ticket.ts";

/** Writes one file a stage, and answers what it did; `fails` may say otherwise. */
async function open(fails: (task: PhaseTask) => Promise<PhaseResult | undefined> | undefined = () => undefined, payload: Json = null) {
  const store = createMemoryTickets(createFakeClock());
  const pushed: string[] = [];
  const saved: string[] = [];
  const inner = createMemoryCheckpoints({ "a.txt": "base" });
  const checkpoints = {
    ...inner,
    async push(ticketId: string) {
      pushed.push(ticketId);
      return inner.push(ticketId);
    },
  };
  await store.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", payload }));
  await store.claim("GH-1", "a");
  const asked: PhaseTask[] = [];
  const beats: string[] = [];
  const processor = createStagedProcessor({
    checkpoints,
    phaseEstimateMicroUsd: 10,
    onSaved: ({ n, stage }) => void saved.push(`${n} ${stage}, ${pushed.length} pushed`),
    async implementer(task) {
      asked.push(task);
      checkpoints.write("GH-1", { [`${task.phase}.txt`]: `by attempt ${task.attempt}` });
      return (await fails(task)) ?? { kind: "done", conversation: `${task.conversation}${task.phase};` };
    },
  });
  const turn = async (): Promise<TurnResult> => {
    const ticket = await store.get("GH-1");
    if (ticket === undefined) throw new Error("There is no ticket.");
    const { attempt } = ticket;
    const signal = new AbortController().signal;
    const beat = async (stage: string) => void beats.push(stage);
    const result = await processor(ticket, { turn: ticket.turn, attempt, saved: ticket.saved, leaseId: "l", signal, heartbeat: beat });
    await store.write("GH-1", "a", {
      saved: result.saved,
      turn: ticket.turn + 1,
      ...(result.kind === "failed" && { attempt: attempt + 1 }),
    });
    return result;
  };
  const work = async () => parseStagedWork((await store.get("GH-1"))?.saved ?? null);
  const stagesAsked = () => asked.map(({ phase: stage }) => stage);
  return { checkpoints, pushed, saved, asked, beats, turn, work, stagesAsked, store };
}

describe("a processor of code work", () => {
  it("goes through its stages one a turn, with a checkpoint and a sign of life in each, and publishes at the end", async () => {
    const { turn, checkpoints, work, stagesAsked, beats } = await open();
    const kinds: string[] = [];
    for (let index = 0; index < 5; index += 1) kinds.push((await turn()).kind);
    expect(kinds).toEqual(["continue", "continue", "continue", "continue", "done"]);
    expect(stagesAsked()).toEqual(["plan", "implement", "test", "review", "publish"]);
    expect(beats).toEqual(stagesAsked().flatMap((stage) => [stage, stage]));
    const found = await checkpoints.list("GH-1");
    expect(found.map((one) => (one.kind === "whole" ? [one.checkpoint.stage, one.checkpoint.green] : one))).toEqual([
      ["plan", false],
      ["implement", false],
      ["test", true],
      ["review", true],
      ["publish", true],
    ]);
    const { published, done } = await work();
    expect(done.map(({ stage, n }) => [stage, n])).toEqual([
      ["plan", 1],
      ["implement", 2],
      ["test", 3],
      ["review", 4],
      ["publish", 5],
    ]);
    expect(await checkpoints.withdraw("GH-1", published ?? "")).toEqual({ kind: "withdrawn" });
    const last = found.at(-1);
    expect(last?.kind === "whole" ? await checkpoints.conversation(last.checkpoint) : "").toBe("plan;implement;test;review;publish;");
  });

  it("ends a trial with its review: nothing of it is published or pushed, and no turn publishes it later", async () => {
    const trial = { evaluation: { ticket: "GH-0", model: "anthropic/new" } };
    const { turn, work, stagesAsked, pushed } = await open(undefined, trial);
    const kinds: string[] = [];
    for (let index = 0; index < 5; index += 1) kinds.push((await turn()).kind);
    expect(kinds).toEqual(["continue", "continue", "continue", "done", "done"]);
    expect(stagesAsked()).toEqual(["plan", "implement", "test", "review"]);
    expect((await work()).published).toBeUndefined();
    expect(pushed).toEqual([]);
    const ordinary = await open();
    await ordinary.turn();
    expect(ordinary.pushed).toEqual(["GH-1"]);
  });

  it("says that nothing will be billed when its implementer says so, and when no stage is worked on", async () => {
    let tries = 0;
    const { turn } = await open(async ({ phase, conversation }) => {
      tries += 1;
      if (phase === "plan" && tries === 1)
        return { kind: "failed", conversation, failureClass: "provider_rate_limit", reason: "429", retry: true, unused: true };
      return phase === "test" ? { kind: "done", conversation, unused: true } : undefined;
    });
    const unused: unknown[] = [];
    for (let index = 0; index < 7; index += 1) unused.push((await turn()).unused);
    expect(unused).toEqual([true, false, false, true, false, false, true]);
    const elsewhere = await open(undefined, { repo: "acme/other" });
    expect(await elsewhere.turn()).toMatchObject({ kind: "failed", unused: true });
  });

  it("tells of each checkpoint before it is sent elsewhere, also of what a failed stage left", async () => {
    let tries = 0;
    const { turn, saved } = await open(async ({ phase, conversation }) =>
      phase !== "implement" || (tries += 1) > 1
        ? undefined
        : { kind: "failed", conversation, failureClass: "tool_error", reason: "no", retry: true },
    );
    for (let index = 0; index < 3; index += 1) await turn();
    expect(saved).toEqual(["1 plan, 0 pushed", "2 partial, 1 pushed", "3 implement, 1 pushed"]);
  });

  it("goes on from its last checkpoint when the workspace is gone", async () => {
    const { turn, checkpoints, asked } = await open();
    await turn();
    await turn();
    const before = checkpoints.files("GH-1");
    await checkpoints.open("GH-1", true);
    checkpoints.forget("GH-1");
    await turn();
    expect(checkpoints.files("GH-1")).toEqual({ ...before, "test.txt": "by attempt 1" });
    expect(asked.at(-1)?.conversation).toBe("plan;implement;");
  });

  it("leaves with the ticket what a checkpoint could not keep", async () => {
    const { turn, checkpoints, work } = await open();
    await turn();
    checkpoints.omit("GH-1", ["lib (changes inside a submodule)"]);
    await turn();
    const [plan, implement] = (await work()).done;
    expect(plan).not.toHaveProperty("omitted");
    expect(implement).toMatchObject({ stage: "implement", n: 2, omitted: ["lib (changes inside a submodule)"] });
  });

  it("passes a broken checkpoint over for the one before, keeps it, and does no stage again", async () => {
    const { turn, checkpoints, asked, stagesAsked } = await open();
    await turn();
    await turn();
    checkpoints.damage("GH-1", 2);
    checkpoints.forget("GH-1");
    await turn();
    expect(checkpoints.files("GH-1")).toEqual({ "a.txt": "base", "plan.txt": "by attempt 1", "test.txt": "by attempt 1" });
    expect(asked.at(-1)?.conversation).toBe("plan;");
    expect(stagesAsked()).toEqual(["plan", "implement", "test"]);
    expect((await checkpoints.list("GH-1"))[1]).toMatchObject({ kind: "broken", n: 2 });
  });

  it("saves what a failed stage left, and goes on with it", async () => {
    let tries = 0;
    const { turn, checkpoints, asked, work } = await open(async ({ phase: stage }) => {
      if (stage !== "implement" || (tries += 1) > 1) return undefined;
      throw new Error("spawn npm ENOENT");
    });
    await turn();
    expect(await turn()).toMatchObject({ kind: "failed", failureClass: "tool_error", reason: "spawn npm ENOENT", retry: true });
    expect((await checkpoints.list("GH-1"))[1]).toMatchObject({ checkpoint: { stage: "partial", green: false } });
    expect(await work()).toMatchObject({ resume: { n: 2 }, complaint: "spawn npm ENOENT", done: [{ stage: "plan" }] });
    expect(await turn()).toMatchObject({ kind: "continue" });
    expect(asked.at(-1)).toMatchObject({ phase: "implement", attempt: 2, complaint: "spawn npm ENOENT" });
    expect(await work()).toMatchObject({ complaint: "", done: [{ stage: "plan" }, { stage: "implement", n: 3 }] });
    expect(await work()).not.toHaveProperty("resume");
  });

  it("leads back to implement with what the tests said", async () => {
    let tries = 0;
    const { turn, stagesAsked, asked } = await open(async ({ phase: stage, conversation }) => {
      if (stage !== "test" || (tries += 1) > 1) return undefined;
      return { kind: "failed", conversation, failureClass: "test_failure", reason: "2 of 9", retry: true };
    });
    for (let index = 0; index < 5; index += 1) await turn();
    expect(stagesAsked()).toEqual(["plan", "implement", "test", "implement", "test"]);
    expect(asked[3]).toMatchObject({ complaint: "2 of 9", attempt: 2 });
  });
});

/** One turn of a ticket with this payload. `at`: addresses of the worker's repository. */
async function oneTurn(payload: unknown, at: readonly string[] = []) {
  const checkpoints = createMemoryCheckpoints({ "a.txt": "base" });
  const [bases, stages, beats]: [(string | undefined)[], string[], string[]] = [[], [], []];
  const processor = createStagedProcessor({
    checkpoints: {
      ...checkpoints,
      addresses: async () => at,
      open: async (ticketId, fresh, base) => {
        bases.push(base);
        return checkpoints.open(ticketId, fresh);
      },
    },
    phaseEstimateMicroUsd: 10,
    async implementer({ phase }) {
      stages.push(phase);
      return { kind: "done", conversation: "" };
    },
  });
  const store = createMemoryTickets(createFakeClock());
  await store.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", payload }));
  const ticket = await store.get("GH-1");
  if (ticket === undefined) throw new Error("There is no ticket.");
  const signal = new AbortController().signal;
  const heartbeat = async (stage: string) => void beats.push(stage);
  const result = await processor(ticket, { turn: 1, attempt: 1, saved: null, leaseId: "l", signal, heartbeat });
  return { result, bases, stages, beats };
}

it.each([
  [{ base_sha: "a".repeat(40) }, "a".repeat(40)],
  [{ base_sha: null }, undefined],
  [{}, undefined],
  [[], undefined],
  ["text", undefined],
])("a workspace for the payload %j is made at %j", async (payload, wanted) => {
  expect(await oneTurn(payload)).toMatchObject({ bases: [wanted], stages: ["plan"] });
});

const clone = ["https://x-access-token:s3cret@git.example/acme/shop.git", "/srv/shop"];

it.each([[{ repo: "acme/shop" }], [{ repo: "git@git.example:acme/shop.git" }], [{ repo: "/srv/shop" }], [{ repo: null }], [{}]])(
  "a ticket of %j is worked on in a clone of that repository",
  async (payload) => {
    expect(await oneTurn(payload, clone)).toMatchObject({ result: { kind: "continue" }, stages: ["plan"] });
  },
);

it.each([
  [{ repo: "acme/other" }, clone, "belongs to repository acme/other, and this worker has https://git.example/acme/shop.git, /srv/shop."],
  [{ repo: "https://ann:s3cret@evil.example/acme/shop" }, clone, "belongs to repository https://evil.example/acme/shop,"],
  [{ repo: "acme/shop" }, ["/srv/shop"], "this worker has /srv/shop. Start a worker whose RUNBOOKD_TICKET_REPOSITORY is a clone"],
  [{ repo: ["acme/shop"] }, clone, 'belongs to repository ["acme/shop"]'],
  [{ repo: "" }, clone, "belongs to repository ,"],
  [{ base_sha: "HEAD" }, clone, 'base_sha "HEAD" is no whole commit id'],
  [{ base_sha: 7 }, clone, "base_sha 7 is no whole commit id"],
])("a ticket of %j is refused in a clone of %j before anything is done", async (payload, at, why) => {
  const { result, ...done } = await oneTurn(payload, at);
  expect(result).toMatchObject({ kind: "failed", retry: false, saved: null, reason: expect.stringContaining(why) });
  expect(JSON.stringify(result)).not.toContain("s3cret");
  expect(done).toEqual({ bases: [], stages: [], beats: [] });
});
