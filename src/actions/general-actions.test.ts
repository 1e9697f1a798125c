import { describe, expect, it } from "@jest/globals";
import { benchStart, createActionBench, outputOf } from "../../test/builders/action-bench.ts";
import { aBudgetState } from "../../test/fakes/fake-budget-control.ts";
import { aSlackTarget } from "../../test/servers/notification-targets.ts";
import { createActions } from "../app/action-registry.ts";
import type { PrometheusAnswer } from "../core/prometheus.ts";
import { judgeBurn } from "../llm/budgets/actions/judge-burn.ts";
import { createRecipients } from "../notifications/create-recipients.ts";

describe("prometheus-query", () => {
  async function ask(burn: number | undefined | "down" | "partial") {
    const { bind, context, world } = createActionBench();
    world.burn = burn;
    const query = bind("prometheus-query", { query: "up" });
    return outputOf(await query.run(await query.plan(context()), context()));
  }

  it("gives the value of exactly one finite sample", async () => {
    expect(await ask(0.25)).toEqual({ value: 0.25, series: [{ labels: {}, value: 0.25, at: benchStart }], count: 1, warnings: [] });
  });

  it.each([
    ["nothing, where no series exists", undefined, undefined],
    ["NaN", Number.NaN, 1],
    ["infinity", Number.POSITIVE_INFINITY, 1],
  ])("gives no value for %s", async (_name, burn, count) => {
    const output = await ask(burn);
    expect(output).not.toHaveProperty("value");
    expect(output["count"]).toBe(count);
  });

  it("counts none when the series exists and the query returns nothing", async () => {
    const { bind, context, world } = createActionBench();
    const one = { labels: {}, value: 1, at: benchStart };
    world.prometheus = (promql) => ({ kind: "samples", samples: promql === "count(up{})" ? [one] : [], warnings: [] });
    const query = bind("prometheus-query", { query: "up == 0" });
    expect(outputOf(await query.run(await query.plan(context()), context()))).toEqual({ series: [], count: 0, warnings: [] });
  });

  it("fails as inconclusive when the answer is incomplete, whatever it seems to show", async () => {
    await expect(ask("partial")).rejects.toMatchObject({ failure: { reason: "expectation_inconclusive", applied: "no" } });
  });

  it("fails when Prometheus cannot be asked, and does not answer with nothing", async () => {
    await expect(ask("down")).rejects.toMatchObject({ failure: { reason: "not_reachable", applied: "no" } });
  });
});

describe("wait", () => {
  it("suspends until the time is over and survives a crash in between", async () => {
    const { bind, context, clock } = createActionBench();
    const wait = bind("wait", { for: "10m" });
    const plan = await wait.plan(context());
    const first = await wait.run(plan, context());
    expect(first).toEqual({ kind: "continue", afterMs: 600_000, progress: { until: benchStart + 600_000 } });
    await clock.advance(599_999);
    const progress = { until: benchStart + 600_000 };
    expect(await wait.run(plan, context({ progress }))).toMatchObject({ kind: "continue", afterMs: 1 });
    await clock.advance(1);
    expect(outputOf(await wait.run(plan, context({ progress })))).toEqual({ waited_seconds: 600 });
  });

  it.each(["", "0s", "-1m", "10", "soon"])("refuses %j", (text) => {
    expect(createActionBench().actions.find("wait")?.bind({ for: text })).toMatchObject({
      ok: false,
      issues: [expect.stringContaining("for:")],
    });
  });
});

describe("notify", () => {
  const parameters = { subject: "Burn\r\nBcc: evil@example.com\u0000", text: "line 1\nline 2" };

  it("puts one row for a key, however often it runs", async () => {
    const { bind, context, rows } = createActionBench();
    const notify = bind("notify", parameters);
    const plan = await notify.plan(context());
    const first = outputOf(await notify.run(plan, context()));
    const again = outputOf(await notify.run(plan, context({ attempt: 2 })));
    expect(again).toEqual(first);
    expect(first["message_id"]).toMatch(/^<[0-9a-f]{32}\.runbookd@example\.org>$/);
    expect([...rows.values()]).toEqual([
      {
        key: "key-1",
        to: "default",
        content: { kind: "message", runId: "run-1", subject: "Burn Bcc: evil@example.com", text: "line 1\nline 2" },
        putAt: benchStart,
      },
    ]);
  });

  it("refuses a group that is not configured, and an address", async () => {
    const { bind, context, actions } = createActionBench();
    await expect(bind("notify", { ...parameters, to: "strangers" }).plan(context())).rejects.toMatchObject({
      failure: { reason: "invalid_parameters" },
    });
    expect(actions.find("notify")?.bind({ ...parameters, to: "evil@example.com" })).toMatchObject({ ok: false });
  });
});

describe("a group with targets beside or instead of addresses", () => {
  it("gets one row for each, and a review pages nobody", async () => {
    const { bind, context, rows } = createActionBench();
    const notify = bind("notify", { to: "oncall", subject: "s", text: "t" });
    const output = outputOf(await notify.run(await notify.plan(context()), context()));
    await notify.run(await notify.plan(context()), context({ attempt: 2 }));
    expect(output).toEqual({ to: "oncall", told: ["slack/ops", "pagerduty/primary"] });
    expect([...rows.values()].map(({ key, to, target }) => [key, to, target])).toEqual([
      ["key-1/slack/ops", "oncall", "slack/ops"],
      ["key-1/pagerduty/primary", "oncall", "pagerduty/primary"],
    ]);
    const send = bind("send-report", { to: "oncall" });
    const report = outputOf(await send.run(await send.plan(context()), context()));
    expect(report).toEqual({ mailed: true, to: "oncall", told: ["slack/ops"] });
    expect([...rows.values()].filter(({ content }) => content.kind === "review").map(({ target }) => target)).toEqual(["slack/ops"]);
  });

  it("is looked up by group and id, and is nobody else's", () => {
    const recipients = createRecipients({ groups: { default: ["a@x.org"] }, from: "r@x.org", targets: { oncall: [aSlackTarget()] } });
    expect(recipients.targets("oncall")).toEqual(["slack/ops"]);
    expect(recipients.target("oncall", "slack/ops")).toEqual(aSlackTarget());
    expect([recipients.target("oncall", "slack/x"), recipients.target("default", "slack/ops")]).toEqual([undefined, undefined]);
    for (const name of ["__proto__", "constructor"]) expect(recipients.targets(name)).toEqual([]);
  });
});

describe("texts and recipients that come from labels", () => {
  it.each([
    ["B59 a second header", "Burn\r\nBcc: evil@example.com", "Burn Bcc: evil@example.com"],
    ["B59 a line separator", "Burn\u2028Bcc: evil@example.com", "Burn Bcc: evil@example.com"],
    ["B49 a format and NUL", "%s%n\u0000", "%s%n"],
  ])("%s stays one line", async (_name, subject, expected) => {
    const { bind, context, rows } = createActionBench();
    const notify = bind("notify", { subject, text: "t" });
    await notify.run(await notify.plan(context()), context());
    expect([...rows.values()][0]?.content).toMatchObject({ subject: expected });
  });

  it.each([
    ["B60 an address", "evil@example.com"],
    ["B61 quotes", '"evil@a x"@internal'],
    ["B61 a list", "default, evil@example.com"],
    ["B61 a group", "friends:a@x,b@x;"],
    ["B61 10 kB", "a".repeat(10_000)],
    ["a target", "slack/ops"],
  ])("%s is no group", (_name, to) => {
    const { actions } = createActionBench();
    expect(actions.find("notify")?.bind({ subject: "s", text: "t", to })).toMatchObject({ ok: false });
    expect(actions.find("send-report")?.bind({ to })).toMatchObject({ ok: false });
  });
});

describe("send-report", () => {
  it("puts one row for run and step, over attempts and new keys", async () => {
    const { bind, context, rows } = createActionBench();
    const send = bind("send-report", {});
    const plan = await send.plan(context());
    const first = outputOf(await send.run(plan, context()));
    expect(outputOf(await send.run(plan, context({ idempotencyKey: "key-2", attempt: 2 })))).toEqual(first);
    expect([...rows.values()]).toMatchObject([{ to: "default", content: { kind: "review", runId: "run-1" } }]);
    await send.run(plan, context({ runId: "run-2" }));
    expect(rows.size).toBe(2);
  });

  it("does not fail a run when no mail is configured, unless the document names a group", async () => {
    const { context, rows, ports } = createActionBench();
    const actions = createActions({ ...ports, recipients: createRecipients({ groups: {}, from: undefined }) });
    const bound = actions.find("send-report")?.bind({});
    const send = bound?.ok === true ? bound.action : undefined;
    const plan = await send?.plan(context());
    expect(plan).toMatchObject({ summary: "Keep the review of this run; no mail is configured", targets: ["review/run-1"] });
    expect(plan !== undefined && (await send?.run(plan, context()))).toEqual({ kind: "done", output: { mailed: false } });
    expect(rows.size).toBe(0);
    const named = actions.find("send-report")?.bind({ to: "oncall" });
    await expect(named?.ok === true ? named.action.plan(context()) : undefined).rejects.toMatchObject({
      failure: { reason: "invalid_parameters" },
    });
  });
});

describe("take-snapshot", () => {
  it("reads budget, controls, queues and running tickets", async () => {
    const { bind, context, control } = createActionBench(
      aBudgetState("checkout", { spentMicroUsd: 60_000_000, committedMicroUsd: 5_000_000, running: 1, queued: 7 }),
    );
    control.of("checkout").tickets = [{ ticketId: "t-1", leaseId: "l", since: 0, turn: 1 }];
    const snapshot = bind("take-snapshot", { budget: "checkout" });
    expect(outputOf(await snapshot.run(await snapshot.plan(context()), context()))).toMatchObject({
      budget: "checkout",
      at: benchStart,
      limit_usd: 100,
      spent_usd: 60,
      committed_usd: 5,
      spent_ratio: 0.65,
      gate: "open",
      running: 1,
      queued: 7,
      queues: ["tickets"],
      batches: ["batch-1"],
      tickets: ["t-1"],
      limits: { concurrency: null },
    });
  });
});

describe("the burn that a ramp looks at", () => {
  const samples = (...values: number[]): PrometheusAnswer => ({
    kind: "samples",
    warnings: [],
    samples: values.map((value) => ({ labels: {}, value, at: 0 })),
  });
  const down: PrometheusAnswer = { kind: "unavailable", reason: "down" };

  it.each<[string, readonly PrometheusAnswer[], string]>([
    ["every query is under", [samples(0.5), samples(1.1)], "under"],
    ["one is at the threshold", [samples(0.5), samples(1.2)], "over"],
    ["one series of a query is over", [samples(0.5, 3)], "over"],
    ["one is over and one cannot be seen", [samples(3), down], "over"],
    ["one is under and one cannot be seen", [samples(0.5), down], "unseen"],
    ["one is under and one is incomplete", [samples(0.5), { kind: "incomplete", reason: "partial response" }], "unseen"],
    ["one has no sample", [samples(0.5), samples()], "unseen"],
    ["one is NaN", [samples(Number.NaN)], "unseen"],
    ["it is infinite", [samples(Number.POSITIVE_INFINITY)], "over"],
    ["there is no query", [], "unseen"],
  ])("%s", async (_name, answers, kind) => {
    let next = 0;
    const prometheus = { query: async () => answers[next++] ?? down };
    const sight = await judgeBurn(
      prometheus,
      answers.map((_, index) => `q${index}`),
      1.2,
      new AbortController().signal,
    );
    expect(sight.kind).toBe(kind);
    expect(() => JSON.stringify(sight)).not.toThrow();
  });
});
