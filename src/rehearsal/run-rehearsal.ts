import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import { canonicalJson } from "../../packages/sdk/src/wire/json.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { moreCareful, type PreparedRequest, requestFromAlert, requestFromPerson } from "../alerts/prepare-run.ts";
import { type ActionPorts, createActions } from "../app/action-registry.ts";
import type { Instant } from "../core/clock.ts";
import { dayMs } from "../core/duration.ts";
import { sha256 } from "../core/json.ts";
import type { OutboxRow } from "../core/outbox.ts";
import { evaluateGuardrails } from "../guardrails/evaluate-guardrails.ts";
import type { RecoveryPorts } from "../llm/tickets/recovery-ports.ts";
import { createRecipients } from "../notifications/create-recipients.ts";
import { matchTriggers } from "../runbooks/runbook-set.ts";
import { createExecutor, type Execution } from "../runs/engine/execute-run.ts";
import type { RunJournal } from "../runs/store.ts";
import { faultyActions, type StepFaults } from "./faulty-actions.ts";
import { createMemoryRunJournal } from "./memory-run-journal.ts";
import { noCosts } from "./no-costs.ts";
import type { FaultOutcome, Rehearsal } from "./rehearsal.ts";
import { createScriptedMetrics } from "./scripted-metrics.ts";
import { createSimulatedAttacks } from "./simulated-attacks.ts";
import { createSimulatedBatches } from "./simulated-batches.ts";
import { createSimulatedBudgets } from "./simulated-budgets.ts";
import { createSimulatedDeployments } from "./simulated-deployments.ts";
import { simulatedEvaluator } from "./simulated-evaluator.ts";
import { createSimulatedFeatures, repositoryOf } from "./simulated-features.ts";
import { createSimulatedPrompts, type SimulatedPrompts } from "./simulated-prompts.ts";
import { createSimulatedReleases } from "./simulated-releases.ts";
import { createSimulatedRollouts } from "./simulated-rollouts.ts";
import { createSimulatedRoutes, type SimulatedRoutes } from "./simulated-routes.ts";
import { createSimulatedTickets } from "./simulated-tickets.ts";
import { stepIdOf } from "./step-names.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** What came of a rehearsal. */
export interface Rehearsed {
  readonly journal: readonly JournalEntry[];
  /** Changes of the simulated world, in order. */
  readonly effects: readonly string[];
  readonly mails: readonly string[];
  readonly questions: readonly Question[];
  /** How the run was left: it ended, or it waits for a person. */
  readonly ended: boolean;
  /** What makes the rehearsal itself worthless, e.g. a query that it has no values for. */
  readonly faults: readonly string[];
  /** Virtual time that passed. */
  readonly ms: number;
}

const runId = "run_rehearsal";
const start: Instant = Date.UTC(2026, 0, 5, 12);
/** A whole day, so that virtual waits never cost a lease; a crash ends it at once. */
const leaseMs = dayMs;
/** How long it takes until another worker takes over. */
const takeOverMs = 6000;
const maxExecutions = 10_000;
const never = new AbortController().signal;

/**
 * Runs the document through the engine, the guardrails and the actions as they ship, in virtual time.
 * Every port is a simulator that is made here from the rehearsal: there is no way to hand in a real one.
 */
export async function runRehearsal(runbook: Runbook, rehearsal: Rehearsal): Promise<Rehearsed> {
  const clock = createVirtualClock(start);
  const effects: string[] = [];
  const mails: string[] = [];
  const faults: string[] = [];
  const questions: Question[] = [];
  const metrics = createScriptedMetrics(rehearsal.metrics, start, () => clock.now());
  const inner = createMemoryRunJournal(clock, leaseMs);

  const prepared = prepare(runbook, rehearsal);
  if (!prepared.ok) return { journal: [], effects, mails, questions, ended: false, faults: [prepared.reason], ms: 0 };
  const { request } = prepared;
  inner.create(runId, { ...request, mode: moreCareful(request.mode, rehearsal.mode ?? request.mode) });

  let resolved = false;
  const resolve = () => {
    if (resolved) return;
    resolved = true;
    inner.notice(runId, { resolved: "the alert ended (rehearsed)" });
  };
  const script = scriptOf(runbook, rehearsal, faults);
  if (script.resolveAtMs !== undefined) clock.plan(start + script.resolveAtMs, resolve);

  let dueAt: Instant | undefined;
  const journal: RunJournal = {
    leaseMs: inner.leaseMs,
    claim: (id) => inner.claim(id),
    renew: (lease) => inner.renew(lease),
    async append(lease, change) {
      if (change.entries.some((entry) => isOver(entry, script.resolveAfter))) resolve();
      const result = await inner.append(lease, change);
      if (result.kind === "ok") {
        dueAt = change.release?.dueAt;
        if (change.question !== undefined && !questions.some(({ id }) => id === change.question?.id)) questions.push(change.question);
      }
      return result;
    },
  };

  let crashed: () => void = () => undefined;
  const stepFaults: StepFaults = {
    worked(stepId) {
      if (stepId === script.resolveAfter) resolve();
    },
    next: (stepId) => script.outcomes.get(stepId)?.shift(),
    async crash(when, stepId) {
      if (!script.crashes.delete(`${when} ${stepId}`)) return;
      crashed();
      // A dead process does nothing any more: a call that waits here waits forever.
      await new Promise<never>(() => undefined);
    },
  };
  const tickets = await createSimulatedTickets(rehearsal.tickets, clock, (line) => void effects.push(line));
  const prompts = createSimulatedPrompts(rehearsal.prompts, clock, (line) => void effects.push(line));
  const routes = createSimulatedRoutes(rehearsal, clock, (line) => void effects.push(line));
  const readJournal = async (id: string) => inner.journal(id);
  const ports = portsOf(rehearsal, { clock, metrics, effects, mails, prompts, routes, tickets, readJournal });
  const actions = faultyActions(createActions(ports), stepFaults);
  const executor = createExecutor(
    {
      journal,
      runbooks: { get: async () => runbook },
      actions,
      guard: (candidate, now) => evaluateGuardrails(candidate, now),
      metrics: { query: async (promql, at) => metrics.query(promql, at) },
      standing: {
        ask: async () =>
          resolved ? { kind: "gone", detail: "no Alertmanager holds the alert any more" } : { kind: "firing", detail: "the alert fires" },
      },
      publish: () => undefined,
      announce: async () => undefined,
    },
    { clock, questionId: () => `q_${questions.length + 1}`, cooldownOf: () => [] },
  );

  const ended = await carryOn();
  for (const query of metrics.unknown) faults.push(`metrics: there are no values for the query \`${query}\``);
  for (const [stepId, remaining] of script.outcomes)
    if (remaining.length > 0) faults.push(`faults: ${remaining.length} outcomes of step ${stepId} were never met`);
  for (const crash of script.crashes) faults.push(`faults: crash ${crash} never happened`);
  for (const [stepId, remaining] of script.answers)
    if (remaining.length > 0) faults.push(`faults: step ${stepId} did not ask for "${remaining.join(", ")}"`);
  return { journal: inner.journal(runId), effects, mails, questions, ended, faults, ms: clock.now() - start };

  /** True: the run ended. False: it waits for a person whom the rehearsal does not have. */
  async function carryOn(): Promise<boolean> {
    let idle = 0;
    for (let executions = 0; executions < maxExecutions; executions += 1) {
      const before = inner.journal(runId).length;
      const died = new Promise<"died">((settle) => (crashed = () => settle("died")));
      const execution: Execution | "died" = await Promise.race([executor.execute(runId, never), died]);
      if (execution === "ended") return true;
      if (execution === "died") {
        inner.expireLease(runId);
        clock.moveTo(clock.now() + takeOverMs);
        continue;
      }
      if (execution !== "suspended" && execution !== "waiting" && execution !== "yielded")
        throw new Error(`A rehearsal's run was ${execution}.`);
      const open = openQuestion();
      if (open !== undefined) {
        const answer = (open.kind === "approve" ? script.approval : undefined) ?? script.answers.get(open.stepId)?.shift();
        if (answer === undefined) return false;
        if (answer !== "nobody") {
          if (!open.answers.includes(answer)) {
            faults.push(`faults: step ${open.stepId} does not accept "${answer}"; accepted: ${open.answers.join(", ")}`);
            return false;
          }
          inner.answer(open.id, answer, "rehearsal");
          continue;
        }
        if (open.expiresAt === undefined) return false;
        script.answers.get(open.stepId)?.unshift(answer);
      }
      idle = inner.journal(runId).length === before ? idle + 1 : 0;
      // Nobody would ever look at this run again.
      if (dueAt === undefined || idle > 3) return false;
      clock.moveTo(dueAt);
      const expired = open?.expiresAt !== undefined && open.expiresAt <= clock.now();
      if (expired) script.answers.get(open.stepId)?.shift();
    }
    faults.push(`The run came to no end in ${maxExecutions} looks.`);
    return false;
  }

  function openQuestion(): Question | undefined {
    const asked = inner.journal(runId).findLast((entry) => entry.kind === "asked");
    const answered = inner.journal(runId).some((entry) => entry.kind === "answered" && entry.questionId === asked?.question.id);
    if (asked === undefined || answered || !inner.questions().some(({ id }) => id === asked.question.id)) return undefined;
    return asked.question.expiresAt !== undefined && asked.question.expiresAt <= clock.now() ? undefined : asked.question;
  }
}

function prepare(runbook: Runbook, { alert, rule, params }: Rehearsal): PreparedRequest {
  if (alert === undefined && rule !== undefined) return { ok: false, reason: "alert: its rule was not evaluated" };
  if (alert === undefined) return requestFromPerson(runbook, { params, requester: "rehearsal" });
  if (matchTriggers([runbook], alert.labels) === undefined)
    return { ok: false, reason: "alert: its labels match no trigger of the runbook" };
  const received: Alert = {
    status: "firing",
    ...alert,
    startsAt: start - 60_000,
    generatorUrl: "",
    fingerprint: sha256(canonicalJson(alert.labels)).slice(0, 16),
  };
  return requestFromAlert(runbook, received, "webhook");
}

/** The faults by step id, used up as they happen. */
interface Script {
  readonly outcomes: Map<string, FaultOutcome[]>;
  readonly answers: Map<string, string[]>;
  /** `before <step id>` or `after <step id>`. */
  readonly crashes: Set<string>;
  approval?: string;
  resolveAfter?: string;
  resolveAtMs?: number;
}

function scriptOf(runbook: Runbook, rehearsal: Rehearsal, faults: string[]): Script {
  const script: Script = { outcomes: new Map(), answers: new Map(), crashes: new Set() };
  const idOf = (name: string): string => {
    const id = stepIdOf(runbook, name);
    if (id === undefined) faults.push(`faults: the runbook has no step \`${name}\``);
    return id ?? name;
  };
  for (const fault of rehearsal.faults) {
    switch (fault.kind) {
      case "step":
        script.outcomes.set(idOf(fault.step), [...fault.outcomes]);
        break;
      case "crash":
        script.crashes.add(`${fault.when} ${idOf(fault.step)}`);
        break;
      case "approval":
        script.approval = fault.answer;
        break;
      case "answer":
        script.answers.set(idOf(fault.step), [...fault.answers]);
        break;
      case "resolve":
        if ("atMs" in fault) script.resolveAtMs = fault.atMs;
        else script.resolveAfter = idOf(fault.afterStep);
        break;
    }
  }
  return script;
}

function isOver(entry: JournalEntry, stepId: string | undefined): boolean {
  return stepId !== undefined && (entry.kind === "completed" || entry.kind === "skipped") && entry.step === stepId;
}

function portsOf(
  rehearsal: Rehearsal,
  world: {
    readonly clock: ReturnType<typeof createVirtualClock>;
    readonly metrics: ReturnType<typeof createScriptedMetrics>;
    readonly effects: string[];
    readonly mails: string[];
    readonly prompts: SimulatedPrompts;
    readonly routes: SimulatedRoutes;
    readonly tickets: RecoveryPorts;
    readonly readJournal: ActionPorts["readJournal"];
  },
): ActionPorts {
  const rows = new Map<string, OutboxRow>();
  const changed = (line: string) => void world.effects.push(line);
  const budgets = createSimulatedBudgets(rehearsal.budgets, world.clock, changed);
  const { codeHosts, code } = createSimulatedReleases(rehearsal, changed);
  const { answer, followers, ...features } = createSimulatedFeatures(rehearsal, world.clock, changed);
  return {
    ...features,
    ...createSimulatedAttacks(rehearsal.features, world.clock, changed),
    ...createSimulatedDeployments(rehearsal.features, (name) => code.tip(repositoryOf(name), "main") ?? "", changed),
    ...world.prompts,
    ...world.routes,
    ...createSimulatedRollouts(
      {
        written: rehearsal,
        prompts: world.prompts,
        routes: world.routes,
        features: rehearsal.features,
        flags: { flags: features.flags, followers },
      },
      world.clock,
    ),
    codeHosts,
    readJournal: world.readJournal,
    postMortems: {
      async write(name) {
        changed(`file ${name}.md`);
        return `${name}.md`;
      },
    },
    evaluator: rehearsal.evaluator ? simulatedEvaluator(world.prompts.evaluator, world.routes.evaluator) : undefined,
    stagedEvaluators: undefined,
    budgets,
    // A rehearsal has spend by row and no usage events.
    costs: noCosts,
    tickets: world.tickets,
    batches: createSimulatedBatches(rehearsal.batches, { clock: world.clock, budgets, changed }),
    prometheus: { query: async (promql, { at }) => world.metrics.query(promql, at) },
    http: {
      refusal: () => undefined,
      async request({ method, url }) {
        const tried = answer(url);
        if (tried !== undefined) return tried;
        world.effects.push(`${method} ${url}`);
        return { kind: "answered", status: 200, headers: {}, body: "" };
      },
    },
    outbox: {
      async put(row) {
        if (rows.has(row.key)) return { put: false };
        rows.set(row.key, row);
        world.mails.push(`${row.content.kind === "review" ? "review" : row.content.subject} to ${row.to}`);
        return { put: true };
      },
      find: async (key) => (rows.has(key) ? { state: "waiting", attempts: 0 } : undefined),
    },
    recipients: {
      ...createRecipients({ groups: {}, from: "rehearsal@rehearsal.invalid" }),
      addresses: (group) => [`${group}@rehearsal.invalid`],
    },
    commands: {
      template: () => undefined,
      placeBelow: async () => undefined,
      run: async () => ({ kind: "not_started", reason: "a rehearsal starts no commands" }),
    },
  };
}
