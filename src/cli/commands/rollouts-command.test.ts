import { describe, expect, it } from "@jest/globals";
import type { ArmCounts, Rollout, RolloutStratum } from "../../../packages/sdk/src/wire/rollouts.ts";
import { aRollout } from "../../../test/builders/a-rollout.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { judgeRollout } from "../../llm/rollouts/judge-rollout.ts";
import { firstVersion } from "../../llm/rollouts/rollout.ts";
import { runCli } from "../run-cli.ts";

const at = Date.UTC(2026, 2, 1, 12);
const planned = firstVersion(aRollout(), at);
const running: Rollout = {
  ...planned,
  state: "running",
  step: 1,
  largestShare: 0.5,
  decisions: [
    {
      at,
      decision: "advance",
      reason: "shown",
      detail: "On to 50 %: 50 % of the tickets × 14.0 points that it may still be worse = 7.0 points; the margin is 10.0 points.",
      step: 1,
      share: 0.5,
      by: "run:1",
    },
  ],
};

function anArm(ended: number, quality: number, costMicroUsd: number): ArmCounts {
  return {
    exposed: ended + 1,
    ended,
    succeeded: quality,
    overdue: 1,
    cancelled: 0,
    quality,
    qualitySquares: quality,
    costMicroUsd,
    costSquares: (1.5 * costMicroUsd ** 2) / ended,
    costQuality: (costMicroUsd * quality) / ended,
    unpriced: 0,
  };
}
const strata: readonly RolloutStratum[] = [
  { step: 0, share: 0.1, canary: anArm(40, 30, 120_000), baseline: anArm(360, 290, 2_160_000) },
  { step: 1, share: 0.5, canary: anArm(100, 82, 300_000), baseline: anArm(110, 88, 660_000) },
];

function shown(rollout: Rollout, counted: readonly RolloutStratum[]) {
  const body = { rollout, strata: counted, misassigned: 2, verdict: judgeRollout(counted, rollout.plan) };
  return aCommandContext({ answers: { "GET /api/rollouts/r1": { status: 200, body } } });
}

it("lists rollouts, and says how to make one when there is none", async () => {
  const { decisions, ...summary } = running;
  const items = [
    { ...summary, decision: decisions[0] },
    { ...planned, id: "r2", decisions: undefined },
  ];
  const context = aCommandContext({ answers: { "GET /api/rollouts": { status: 200, body: { items } } } });
  expect(await runCli(["rollouts", "list"], context, "1")).toBe(0);
  expect(context.printed.out.split("\n").map((line) => line.split(/ {2,}/))).toMatchObject([
    ["ROLLOUT", "WHAT", "STATE", "SINCE", "WHY"],
    [
      "r1",
      "route implement: anthropic/claude-sonnet-4-5 -> anthropic/claude-haiku-4-5",
      "running at step 2 of 3: 50 % of new tickets",
      "2026-03-01 12:00:00Z",
      "shown",
    ],
    ["r2", expect.anything(), "planned: no ticket gets anything new yet", "2026-03-01 12:00:00Z"],
    [""],
  ]);
  const empty = aCommandContext({ answers: { "GET /api/rollouts": { status: 200, body: { items: [] } } } });
  await runCli(["rollouts", "list"], empty, "1");
  expect(empty.printed.out).toContain("runbookd rollouts start");
});

it("shows the arithmetic of a rollout within 80 columns", async () => {
  const context = shown(running, strata);
  expect(await runCli(["rollouts", "show", "r1"], context, "1")).toBe(0);
  expect(context.printed.out.split("\n").filter((line) => line.length > 80)).toEqual([]);
  expect(context.printed.out).toBe(`Rollout r1, route implement: anthropic/claude-sonnet-4-5 ->
  anthropic/claude-haiku-4-5
  running at step 2 of 3: 50 % of new tickets, since 2026-03-01 12:00:00Z
  steps 10 %, 50 %, 100 %, each at least 1m; 5 % stay with the old
  a ticket fails after 10m; its quality may be revised for 2m
  by run:1, created 2026-03-01 12:00:00Z, driven by run 1
  a ticket's bucket is that of "salt of r1:<ticket id>"

Newest of 1 decisions: advance (shown), 2026-03-01 12:00:00Z by run:1
  On to 50 %: 50 % of the tickets × 14.0 points that it may still be worse = 7.0
    points; the margin is 10.0 points.

Counts: 610 tickets of both arms have ended (w = c*b/(c+b) of the ended)
  STEP  SHARE  CANARY  ENDED  GOOD    BASE  ENDED  GOOD    W     CANARY-BASE
  1     10 %   41      40     75.0 %  361   360    80.6 %  36.0  -5.6 points
  2     50 %   101     100    82.0 %  111   110    80.0 %  52.4  2.0 points
  all          142     140    80.0 %  472   470    80.4 %  88.4

Quality, canary minus baseline within each step
  D = sum(w*diff)/sum(w) = -1.1 points, half width 12.1 points at every look
  so it is between -13.2 points and 11.1 points
  worse: D + half width >= 0: not shown
  harm left: max(0, half width - D) = 13.2 points
  next step: 100 % x 13.2 points = 13.2 points > margin 10.0 points: not yet

Cost per success, canary to baseline, failed attempts included
  mean of a ticket: canary $0.0030, baseline $0.0060
  ratio e^-0.680 = 0.507, limit 1.10
  at least e^(-0.680 - 0.257) = 0.392, at most e^(-0.680 + 0.289) = 0.676
  shown below the limit

Split of the exposed tickets against the shares
  e-value e^(-0.55 + -0.24) = e^-0.79; chance if the split is right 1.00
  as the shares say (broken above an e-value of 1000)

Tickets: 4 open, 4 past the deadline, 0 cancelled, 0 of unknown cost
Misassigned: 2 in an arm that the hash forbids; they are in no step above
`);
});

it("says what the next step would risk", async () => {
  const context = shown({ ...running, step: 0 }, strata);
  await runCli(["rollouts", "show", "r1"], context, "1");
  expect(context.printed.out).toContain("next step: 50 % x 13.2 points = 6.6 points <= margin 10.0 points: permitted");
  const last = shown({ ...running, step: 2 }, strata);
  await runCli(["rollouts", "show", "r1"], last, "1");
  expect(last.printed.out).toContain("to finish: 100 % x 13.2 points");
});

it("shows a rollout that has counted nothing, and costs that are not known", async () => {
  const context = shown(planned, []);
  expect(await runCli(["rollouts", "show", "r1"], context, "1")).toBe(0);
  expect(context.printed.out).toContain("No decision yet.");
  expect(context.printed.out).toContain("nothing is compared");
  const unpriced = strata.map((stratum) => ({ ...stratum, canary: { ...stratum.canary, unpriced: 3 } }));
  const other = shown(running, unpriced);
  await runCli(["rollouts", "show", "r1"], other, "1");
  expect(other.printed.out).toContain("Cost per success: unknown, as a part of the cost of some tickets is not known");
  expect(other.printed.out).toContain("6 of unknown cost");
});

describe("an order", () => {
  const start = "POST /api/rollouts/r1/start";
  it("plans a rollout and starts it", async () => {
    const context = aCommandContext({
      answers: { "POST /api/rollouts": { status: 201, body: planned }, [start]: { status: 200, body: { ...running, step: 0 } } },
    });
    const line = [
      "rollouts",
      "start",
      "r1",
      "--route",
      "implement",
      "--to",
      "anthropic/claude-haiku-4-5",
      "--deadline",
      "2h",
      "--reason",
      "cheaper?",
    ];
    expect(await runCli([...line, "--steps", "0.1, 0.5,1", "--margin", ".05"], context, "1")).toBe(0);
    expect(context.requests.map(({ body }) => body)).toEqual([
      {
        id: "r1",
        subject: { kind: "model", route: "implement", to: { provider: "anthropic", model: "claude-haiku-4-5" } },
        plan: { steps: [0.1, 0.5, 1], margin: 0.05, costLimit: 1.1, intervalMs: 3_600_000, deadlineMs: 7_200_000, lagMs: 3_600_000 },
        reason: "cheaper?",
      },
      { reason: "cheaper?" },
    ]);
    expect(context.printed.out).toBe(
      "Rollout r1 is planned, route implement: anthropic/claude-sonnet-4-5 -> anthropic/claude-haiku-4-5.\nRollout r1 is running at step 1 of 3: 10 % of new tickets.\n",
    );
  });

  it("plans one of a prompt", async () => {
    const context = aCommandContext({ answers: {} });
    await runCli(["rollouts", "start", "r1", "--prompt", "plan", "--to", "7", "--deadline", "1h", "--reason", "x"], context, "1");
    expect(context.requests[0]?.body).toMatchObject({ subject: { kind: "prompt", prompt: "plan", to: 7 } });
  });

  it("plans one of a flag, without a limit of cost", async () => {
    const context = aCommandContext({ answers: {} });
    const line = ["rollouts", "start", "r1", "--flag", "export", "--to", "on", "--deadline", "1h", "--reason", "x"];
    await runCli([...line, "--cost-limit", "none"], context, "1");
    expect(context.requests[0]?.body).toMatchObject({ subject: { kind: "flag", flag: "export", to: "on" }, plan: { costLimit: null } });
  });

  it.each([
    ["start", "POST /api/rollouts/r1/start", running, "running at step 2 of 3: 50 % of new tickets"],
    ["grow", "POST /api/rollouts/r1/grow", running, "running at step 2 of 3: 50 % of new tickets"],
    ["hold", "POST /api/rollouts/r1/hold", { ...running, state: "holding" }, "holding at step 2 of 3"],
    ["take-back", "POST /api/rollouts/r1/take-back", { ...running, state: "rolled_back", endedAt: at }, "ended: rolled_back"],
  ])("%s is sent with its reason", async (verb, request, body, text) => {
    const context = aCommandContext({ answers: { [request]: { status: 200, body } } });
    expect(await runCli(["rollouts", verb, "r1", "--reason", "so it is"], context, "1")).toBe(0);
    expect(context.requests).toMatchObject([{ body: { reason: "so it is" } }]);
    expect(context.printed.out).toContain(`Rollout r1 is ${text}`);
  });

  it("is refused with the sentence of runbookd", async () => {
    const body = {
      type: "urn:x",
      title: "Its state does not permit this",
      status: 409,
      detail: "Rollout r1 has ended (promoted), and that is final.",
    };
    const context = aCommandContext({ answers: { [start]: { status: 409, body } } });
    expect(await runCli(["rollouts", "start", "r1", "--reason", "x"], context, "1")).toBe(1);
    expect(context.printed.err).toContain("Rollout r1 has ended (promoted)");
  });

  it.each([
    ["no reason", ["start", "r1"], /--reason/],
    ["no reason to hold", ["hold", "r1"], /--reason/],
    ["something new of nothing", ["start", "r1", "--to", "a/b", "--reason", "x"], /--route, --prompt or --flag/],
    ["two subjects", ["start", "r1", "--route", "a", "--prompt", "b", "--to", "a/b", "--reason", "x"], /one thing/],
    ["nothing new", ["start", "r1", "--route", "a", "--reason", "x"], /--to is missing/],
    ["a model that is none", ["start", "r1", "--route", "a", "--to", "b", "--reason", "x"], /no model/],
    ["a prompt and a flag", ["start", "r1", "--prompt", "a", "--flag", "b", "--to", "on", "--reason", "x"], /one thing/],
    ["a flag without a variant", ["start", "r1", "--flag", "export", "--reason", "x"], /a variant/],
    ["a version that is none", ["start", "r1", "--prompt", "a", "--to", "1.5", "--reason", "x"], /no version/],
    ["no deadline", ["start", "r1", "--route", "a", "--to", "a/b", "--reason", "x"], /--deadline is missing/],
    [
      "a duration that is none",
      ["start", "r1", "--route", "a", "--to", "a/b", "--deadline", "soon", "--reason", "x"],
      /--deadline is soon/,
    ],
    [
      "shares that shrink",
      ["start", "r1", "--route", "a", "--to", "a/b", "--deadline", "1h", "--steps", "0.5,0.1", "--reason", "x"],
      /shares that grow/,
    ],
    [
      "a share of more than all",
      ["start", "r1", "--route", "a", "--to", "a/b", "--deadline", "1h", "--steps", "0.5,2", "--reason", "x"],
      /at most 1/,
    ],
    [
      "a margin that is none",
      ["start", "r1", "--route", "a", "--to", "a/b", "--deadline", "1h", "--margin", "x", "--reason", "x"],
      /are numbers/,
    ],
  ])("with %s asks runbookd for nothing", async (_name, args, names) => {
    const context = aCommandContext();
    expect(await runCli(["rollouts", ...args], context, "1")).toBe(2);
    expect(context.requests).toEqual([]);
    expect(context.printed.err).toMatch(names);
  });
});
