import { expect, it } from "@jest/globals";
import { formatDiagnostic } from "../runbooks/lint/lint-format.ts";
import { parseRehearsal } from "./parse-rehearsal.ts";

const parse = (source: string) => parseRehearsal({ file: "a.yml", source });
const faultsOf = (source: string) => parse(source).diagnostics.map(formatDiagnostic);

it("reads an alert, a workload, values over time, faults and what must come of it", () => {
  const { rehearsal, diagnostics } = parse(`name: everything
alert:
  labels: { alertname: Hot, budget: checkout }
workload:
  budgets:
    checkout: { limit_usd: 300, running: 12, turn: 1m, spend: [{ ago: 30m, prompt: p, operation: o, cost_usd: 2 }] }
metrics:
  up: 1
  "sum(rate(x[5m]))  / 2": { 0s: 21.4, 10m: none, 5m: down, 6m: partial }
faults:
  - step 2: 503, 200
  - step 3: timeout
  - crash after step 4
  - approval: deny
  - answer step look: retry, nobody
  - resolve at 10m
expect:
  outcome: waiting
  steps: { "1": completed, look: waiting }
  effects: []
`);
  expect(diagnostics).toEqual([]);
  expect(rehearsal?.metrics).toEqual({
    up: [{ fromMs: 0, value: 1 }],
    "sum(rate(x[5m])) / 2": [
      { fromMs: 0, value: 21.4 },
      { fromMs: 300_000, value: "down" },
      { fromMs: 360_000, value: "partial" },
      { fromMs: 600_000, value: "none" },
    ],
  });
  expect(rehearsal?.faults).toEqual([
    {
      kind: "step",
      step: "2",
      outcomes: [
        { kind: "overloaded", status: 503 },
        { kind: "ok", status: 200 },
      ],
    },
    { kind: "step", step: "3", outcomes: [{ kind: "timeout" }] },
    { kind: "crash", when: "after", step: "4" },
    { kind: "approval", answer: "reject" },
    { kind: "answer", step: "look", answers: ["retry", "nobody"] },
    { kind: "resolve", atMs: 600_000 },
  ]);
  expect(rehearsal?.budgets[0]).toMatchObject({ id: "checkout", turnMs: 60_000, queued: 0, spend: [{ agoMs: 1_800_000, costUsd: 2 }] });
  expect(rehearsal?.expect).toEqual({ outcome: "waiting", steps: { "1": "completed", look: "waiting" }, effects: [] });
});

it("reads models and routes, and refuses a name that is no model", () => {
  const text = (model: string) => `name: models
workload:
  models:
    ${model}: { lifecycle: deprecated, retires_in: 20d, context: 1000, features: [tools], priced: false, replacement: openai/new }
  routes:
    implement: { model: ${model}, features: [tools, thinking], largest: 900, tickets: 150, worse_answers: 3, bad_answers: 1, cost_ratio: 1.5 }
  evaluator: none
expect: { outcome: waiting }
`;
  const old = { provider: "anthropic", model: "old" };
  expect(parse(text("anthropic/old")).rehearsal).toMatchObject({
    models: [
      {
        ...old,
        lifecycle: "deprecated",
        retiresInMs: 20 * 86_400_000,
        contextTokens: 1000,
        features: ["tools"],
        priced: false,
        replacement: { provider: "openai", model: "new" },
      },
    ],
    routes: [
      {
        id: "implement",
        baseline: old,
        features: ["tools", "thinking"],
        requests: 1000,
        largestTokens: 900,
        tickets: 150,
        costUsd: 0.1,
        worseAnswers: 3,
        badAnswers: 1,
        costRatio: 1.5,
      },
    ],
    evaluator: false,
  });
  expect(parse("name: none\nexpect: { outcome: waiting }\n").rehearsal).toMatchObject({ models: [], routes: [], evaluator: true });
  expect(parse(text("old")).diagnostics.map(({ message }) => message)).toEqual([
    expect.stringContaining("workload.models.old"),
    expect.stringContaining("workload.routes.implement.model"),
  ]);
});

it("reads what becomes of a route's tickets over time, and a candidate that is there before", () => {
  const text = (table: string) => `name: traffic
workload:
  routes:
    implement:
      model: anthropic/old
      tickets_per_minute: { 36h: 0, 0s: 1 }
      quality: ${table}
      candidate_lost: 0.4
      candidate_hangs: 0.5
      trial: { model: anthropic/new, share: 0.25, rollout: none, new_tickets: 2 }
expect: { outcome: waiting }
`;
  expect(parse(text("0.8")).rehearsal?.routes).toEqual([
    expect.objectContaining({
      ticketsPerMinute: [
        { fromMs: 0, value: 1 },
        { fromMs: 36 * 3_600_000, value: 0 },
      ],
      quality: 0.8,
      candidateQuality: 0.9,
      candidateLost: 0.4,
      candidateHangs: 0.5,
      trial: { model: { provider: "anthropic", model: "new" }, share: 0.25, rollout: "none", reported: true, newTickets: 2 },
    }),
  ]);
  expect(faultsOf(text("{ soon: 1 }"))[0]).toContain("times must be");
  expect(faultsOf(text("{ 2d: 1 }"))[0]).toContain("the first one 0s");
  expect(faultsOf(text("{ 0s: 7 }"))[0]).toContain("expected number to be <=1");
});

it("tells every fault at once, with its place and what is accepted", () => {
  const faults = faultsOf(`name: wrong
metric: {}
faults:
  - step 2: sometimes
expect:
  outcome: fine
  step: {}
`);
  expect(faults[0]).toMatch(/^a\.yml:4:5: error rehearsal: `faults\.0` cannot be read\. \(accepted: must be `step STEP: OUTCOME, …`/);
  expect(faults[1]).toMatch(/^a\.yml:6:12: error rehearsal: `expect\.outcome` cannot be read\..*"waiting"/);
  expect(faults.slice(2)).toEqual([
    "a.yml:7:3: error rehearsal: The key `step` is not known here. (accepted: `steps`)",
    "a.yml:2:1: error rehearsal: The key `metric` is not known here. (accepted: `metrics`)",
  ]);
});

it.each([
  ["no duration", "metrics: { up: { soon: 1 } }", "times as a duration such as 500ms"],
  ["no number", "metrics: { up: high }", "must be a number, `none`, `down`, `partial`, or a table"],
  ["a broken line", "name: [", "error yaml"],
])("refuses %s in a table of values", (_what, line, accepted) => {
  expect(faultsOf(`name: x\n${line}\nexpect: { outcome: failed }\n`).join("\n")).toContain(accepted);
});
