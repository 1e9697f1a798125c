import type { BudgetState } from "../../packages/sdk/src/wire/budgets.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { ActionOutput } from "../../packages/sdk/src/wire/plans.ts";
import type { CommandOutcome, CommandStart, CommandStream } from "../../src/actions/command-runner.ts";
import type { HttpAnswer, HttpRequest } from "../../src/actions/http-port.ts";
import { type ActionPorts, createActions } from "../../src/app/action-registry.ts";
import type { ActionContext, ActionResult, BoundAction } from "../../src/core/action.ts";
import type { CommandTemplate } from "../../src/core/command-template.ts";
import { sha256 } from "../../src/core/json.ts";
import type { MailState, OutboxRow } from "../../src/core/outbox.ts";
import type { PrometheusAnswer } from "../../src/core/prometheus.ts";
import { createMemoryCheckpoints } from "../../src/rehearsal/memory-checkpoints.ts";
import { noCosts } from "../../src/rehearsal/no-costs.ts";
import type { SimulatedModel, SimulatedPrompt, SimulatedRoute } from "../../src/rehearsal/rehearsal.ts";
import { createSimulatedAttacks } from "../../src/rehearsal/simulated-attacks.ts";
import { createSimulatedBatches } from "../../src/rehearsal/simulated-batches.ts";
import { createSimulatedDeployments } from "../../src/rehearsal/simulated-deployments.ts";
import { simulatedEvaluator } from "../../src/rehearsal/simulated-evaluator.ts";
import { createSimulatedFeatures } from "../../src/rehearsal/simulated-features.ts";
import { createSimulatedPrompts } from "../../src/rehearsal/simulated-prompts.ts";
import { createSimulatedReleases } from "../../src/rehearsal/simulated-releases.ts";
import { createSimulatedRollouts } from "../../src/rehearsal/simulated-rollouts.ts";
import { createSimulatedRoutes } from "../../src/rehearsal/simulated-routes.ts";
import { createFakeBudgetControl } from "../fakes/fake-budget-control.ts";
import { createFakeClock } from "../fakes/fake-clock.ts";
import { createMemoryTickets } from "../fakes/memory-tickets.ts";
import { aSecurityIncident } from "./a-security-incident.ts";

/** Instant at which every bench begins. */
export const benchStart = Date.UTC(2026, 0, 5, 12, 0, 0);

/** What the bench's targets answer; a test changes it as it goes. */
interface World {
  burn: number | undefined | "down" | "partial";
  /** Answers each query in place of `burn`. */
  prometheus?: (promql: string) => PrometheusAnswer;
  answer: HttpAnswer;
  outcome: CommandOutcome;
  commands: readonly CommandTemplate[];
}

/** How the tickets of the bench's batch fail: 4 of 40. */
const batchFailures = { "429 rate_limit_error": 2, "400 invalid_request_error": 1, refusal: 1 };

/** Binds an action to fakes of its ports and runs it as the engine would. */
export function createActionBench(...budgets: readonly BudgetState[]) {
  const clock = createFakeClock(benchStart);
  const control = createFakeBudgetControl(...budgets);
  const requests: HttpRequest[] = [];
  const rows = new Map<string, OutboxRow>();
  const started: CommandStart[] = [];
  const batchLines: string[] = [];
  const nightly = {
    id: "nightly",
    queue: "fast",
    draft: true,
    tickets: 40,
    ended: 0,
    kind: "bug",
    perMinute: 4,
    costUsd: 0.1,
    p90Usd: 0.2,
  };
  const world: World = {
    burn: 0.5,
    answer: { kind: "answered", status: 200, headers: {}, body: "" },
    outcome: { kind: "exited", code: 0, hasOrphans: false, stdout: aCommandStream(""), stderr: aCommandStream("") },
    commands: [aCommandTemplate({ name: "restart" })],
  };
  const prompt: { -readonly [Key in keyof SimulatedPrompt]: SimulatedPrompt[Key] } = aSimulatedPrompt();
  const acts: string[] = [];
  const simulated = createSimulatedPrompts([prompt], clock, (line) => void acts.push(line));
  const route: { -readonly [Key in keyof SimulatedRoute]: SimulatedRoute[Key] } = aSimulatedRoute();
  const models = ["claude-old", "claude-new"].map((name) => aSimulatedModel({ model: name }));
  const routed = createSimulatedRoutes({ routes: [route], models }, clock, (line) => void acts.push(line));
  const batches = createSimulatedBatches([{ ...nightly, budget: budgets[0]?.budget.id ?? "checkout", failures: batchFailures }], {
    clock,
    budgets: control,
    changed: (line) => void batchLines.push(line),
  });
  const { codeHosts, code } = createSimulatedReleases(aSecurityIncident(), (line) => void acts.push(line));
  const { answer: _answer, followers, ...features } = createSimulatedFeatures(aSecurityIncident(), clock, (line) => void acts.push(line));
  const tickets = createMemoryTickets(clock);
  const checkpoints = createMemoryCheckpoints({ "a.txt": "base" });
  const rung: string[] = [];
  const ports: ActionPorts = {
    tickets: { store: tickets, checkpoints, wakeQueue: { enqueue: async ({ id }) => void rung.push(id) } },
    budgets: control,
    costs: noCosts,
    batches,
    prometheus: { query: async (promql) => world.prometheus?.(promql) ?? sampleOf(world.burn) },
    http: {
      refusal: (url) => (url.startsWith("https://allowed.example/") ? undefined : "its origin is not listed"),
      async request(request) {
        requests.push(request);
        return world.answer;
      },
    },
    outbox: {
      async put(row) {
        if (rows.has(row.key)) return { put: false };
        rows.set(row.key, row);
        return { put: true };
      },
      async find(key): Promise<MailState | undefined> {
        return rows.has(key) ? { state: "waiting", attempts: 0 } : undefined;
      },
    },
    recipients: {
      defaultGroup: "default",
      domain: "example.org",
      addresses: (group) => (group === "default" ? ["team@example.org"] : undefined),
      targets: (group) => (group === "oncall" ? ["slack/ops", "pagerduty/primary"] : []),
      target: () => undefined,
    },
    ...simulated,
    ...routed,
    ...createSimulatedRollouts(
      {
        written: { prompts: [prompt], routes: [route] },
        prompts: simulated,
        routes: routed,
        features: aSecurityIncident().features,
        flags: { flags: features.flags, followers },
      },
      clock,
    ),
    readJournal: async () => undefined,
    postMortems: { write: async (name) => `${name}.md` },
    ...features,
    codeHosts,
    ...createSimulatedAttacks(aSecurityIncident().features, clock, (line) => void acts.push(line)),
    ...createSimulatedDeployments(
      aSecurityIncident().features,
      () => "a".repeat(40),
      (line) => void acts.push(line),
    ),
    stagedEvaluators: undefined,
    evaluator: simulatedEvaluator(simulated.evaluator, routed.evaluator),
    commands: {
      template: (name) => world.commands.find((template) => template.name === name),
      placeBelow: async (root, path) => (path === "gone" ? undefined : `${root}/${path}`),
      async run(command) {
        started.push(command);
        return world.outcome;
      },
    },
  };
  const actions = createActions(ports);

  function sampleOf(burn: number | undefined | "down" | "partial"): PrometheusAnswer {
    if (burn === "down") return { kind: "unavailable", reason: "connection refused" };
    if (burn === "partial") return { kind: "incomplete", reason: "a store did not answer" };
    return { kind: "samples", samples: burn === undefined ? [] : [{ labels: {}, value: burn, at: clock.now() }], warnings: [] };
  }

  function context(change: Partial<ActionContext> = {}): ActionContext {
    return {
      runId: "run-1",
      runbookId: "cost-incident-response",
      stepId: "step",
      attempt: 1,
      idempotencyKey: "key-1",
      signal: new AbortController().signal,
      clock,
      alert: undefined,
      target: undefined,
      acceptedAt: benchStart,
      progress: undefined,
      answer: undefined,
      results: {},
      ...change,
    };
  }

  function bind(name: string, parameters: { readonly [key: string]: Json }): BoundAction {
    const bound = actions.find(name)?.bind(parameters);
    if (bound === undefined) throw new Error(`There is no action ${name}.`);
    if (!bound.ok) throw new Error(bound.issues.join("; "));
    return bound.action;
  }

  return {
    clock,
    control,
    tickets,
    checkpoints,
    rung,
    batches,
    batchLines,
    prompt,
    route,
    models,
    acts,
    code,
    ports,
    requests,
    started,
    rows,
    world,
    actions,
    context,
    bind,
  };
}

/** A prompt that reads next to nothing and could read nearly all. */
export function aSimulatedPrompt(change: Partial<SimulatedPrompt> = {}): SimulatedPrompt {
  return {
    name: "implement",
    provider: "anthropic",
    model: "opus-test",
    hit: 0.02,
    achievable: 0.95,
    predictedHit: 0.94,
    lostUsdPerDay: 100,
    ticketTokens: 900,
    ticketsPerMinute: 10,
    canaryHit: 0.93,
    promotedHit: 0.93,
    costRatio: 0.2,
    worseAnswers: 0,
    quality: 0.95,
    canaryQuality: 0.95,
    ...change,
  };
}

/** A route with two hundred past tickets, which a candidate does as well for half the money. */
export function aSimulatedRoute(change: Partial<SimulatedRoute> = {}): SimulatedRoute {
  return {
    id: "implement",
    baseline: { provider: "anthropic", model: "claude-old" },
    features: ["tools"],
    requests: 1000,
    largestTokens: 50_000,
    tickets: 200,
    costUsd: 0.1,
    worseAnswers: 0,
    badAnswers: 0,
    costRatio: 0.5,
    ticketsPerMinute: 20,
    quality: 0.9,
    candidateQuality: 0.9,
    candidateLost: 0,
    candidateHangs: 0,
    followers: 3,
    staleFollowers: 0,
    ...change,
  };
}

/** A model that can do what {@link aSimulatedRoute} needs. */
export function aSimulatedModel(change: Partial<SimulatedModel> = {}): { -readonly [Key in keyof SimulatedModel]: SimulatedModel[Key] } {
  return {
    provider: "anthropic",
    model: "claude-new",
    lifecycle: "active",
    contextTokens: 200_000,
    features: ["tools", "caching"],
    priced: true,
    ...change,
  };
}

/** A template of a harmless command. */
export function aCommandTemplate(change: Partial<CommandTemplate> = {}): CommandTemplate {
  return {
    name: "restart",
    argv: ["/bin/true"],
    args: {},
    env: {},
    openEnv: {},
    cwd: "/",
    timeoutMs: 5000,
    effect: "once",
    risk: "raises",
    target: "command/restart",
    okExits: [0],
    notAppliedExits: [],
    ...change,
  };
}

/** A stream in which a command wrote this. */
export function aCommandStream(text: string): CommandStream {
  return { text, tail: text.slice(-16_384), truncated: false, bytes: Buffer.byteLength(text), sha256: sha256(text) };
}

/** The output of a result that must be done. */
export function outputOf(result: ActionResult): ActionOutput {
  if (result.kind !== "done") throw new Error(`Expected a result that is done, got ${JSON.stringify(result)}.`);
  return result.output;
}
