import { z } from "zod";
import type { BudgetState } from "../../../../packages/sdk/src/wire/budgets.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { budgetParameter, durationParameter, millisecondsOf, promqlParameter } from "../../../actions/parameter-types.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import { formatDuration } from "../../../core/duration.ts";
import { StepFailure } from "../../../core/failure.ts";
import { formatUsd } from "../../../core/money.ts";
import type { PrometheusReader } from "../../../core/prometheus.ts";
import type { BudgetControl } from "../budget.ts";
import { isPaused, stateOfWork } from "./gate.ts";
import { type BurnRate, judgeBurn } from "./judge-burn.ts";
import { type ControlFields, changesOf, plannedChange, plannedOf, readBudget, restorePlanned } from "./planned-controls.ts";
import { nextRampMove, type RampMove, rampStart } from "./ramp.ts";
import { ranBefore } from "./ran-before.ts";

const stepShares = [0.25, 0.5, 1] as const;

const pollsPerStep = 5;

const progressSchema = z.object({
  stage: z.number().int(),
  since: z.number(),
  unseenSince: z.number().nullable(),
  closedSince: z.number().nullable(),
  stepsBack: z.number().int(),
  reached: z.array(z.number()),
  waitsFor: z.enum(["limit", "decision", "owner"]).nullable(),
  burn: z.array(z.number()).nullable(),
  /** What a report tells; it changes only when the ramp moves. */
  headline: z.string(),
  note: z.string(),
  /** Version of the controls at the last look. */
  version: z.number(),
});
type Progress = z.output<typeof progressSchema>;

/** What the ramp may find in the controls without somebody else having been there. */
interface RampPlan {
  readonly steps: readonly number[];
  readonly before: number | null;
  readonly version: number;
}

/** What one look of a run found. */
interface RampLook {
  readonly rampPlan: RampPlan;
  readonly burnRate: BurnRate;
  readonly state: BudgetState;
  readonly context: ActionContext;
}

const dataSchema = z.object({ stages: z.array(z.number().int().positive()), queries: z.array(z.string()) });

/**
 * Opens the gate with a quarter of what ran before and goes on to half and to all of it, each stage held while the burn stays under the threshold.
 * It holds no worker between looks. Without data it never advances; when the burn returns it steps back; when the budget is exhausted, or it
 * had to step back too often, a person decides.
 */
export const resumeWithRamp = defineAction({
  name: "resume-with-ramp",
  summary: "Opens one budget with a quarter of its concurrency, then half, then all of it, as long as the burn stays under the threshold.",
  parameters: z.strictObject({
    budget: budgetParameter(),
    every: durationParameter("How long the burn must stay under the threshold before the next stage.").default("15m"),
    threshold: z.number().positive().default(1.2).meta({ description: "Every burn query must be below it." }),
    burn: z
      .union([promqlParameter("One query of the burn."), z.array(promqlParameter("A query of the burn.")).min(1).max(5)])
      .optional()
      .meta({ format: "promql", description: "Queries of the burn; by default the 5m and 30m burn of the budget." }),
    concurrency: z
      .number()
      .int()
      .positive()
      .optional()
      .meta({ description: "All of it; by default the limit, or what ran before the incident." }),
    steps_back: z.number().int().min(0).default(3).meta({ description: "So many steps back are allowed before a person is asked." }),
  }),
  result: {
    budget: "id of the budget",
    steps: "concurrency of each stage that was reached, in order",
    steps_back: "how often it stepped back",
    final_concurrency: "limit of concurrency now, or null",
    verified: "whether the burn stayed under the threshold for a whole stage at full concurrency",
    resumed: "whether the gate is open",
    paused: "whether the gate is closed",
    burn: "burn at the last look, one number per query",
    running: "tickets in flight",
    queued: "tickets that wait",
  },
  effect: "set",
  risk: "raises",
  timeoutMs: 30_000,
  probes: false,
  undoes: true,
  behave(parameters, ports: { readonly budgets: BudgetControl; readonly prometheus: PrometheusReader }) {
    const { budget, threshold } = parameters;
    const everyMs = millisecondsOf(parameters.every);
    const pollIntervalMs = Math.max(250, Math.round(everyMs / pollsPerStep));
    const rules = { everyMs, stepsBackAllowed: parameters.steps_back };

    return {
      async plan(context) {
        const state = await readBudget(ports.budgets, budget);
        const full = parameters.concurrency ?? ranBefore(state, context.results) ?? 1;
        const steps = concurrencyStepsOf(full);
        const planned = plannedChange(state, {
          ...openAs(context.runId, `ramp to ${full} at once`),
          limits: { ...state.controls.limits, concurrency: steps.at(-1) ?? full },
        });
        const queries = parameters.burn === undefined ? defaultQueries(budget) : [parameters.burn].flat();
        return {
          summary: `Open budget ${budget} with ${steps.join(", then ")} tickets at once, each held ${formatDuration(everyMs)} while the burn is under ${threshold}`,
          targets: [`budget/${budget}`],
          changes: changesOf(planned),
          reversible: true,
          data: { ...planned, stages: steps, queries },
        };
      },
      async run(plan, context) {
        const planned = plannedOf(plan);
        const { stages: steps, queries } = dataSchema.parse(plan.data);
        const state = await readBudget(ports.budgets, budget);
        const now = context.clock.now();
        let progress: Progress =
          context.progress === undefined
            ? { ...rampStart(now), reached: [], waitsFor: null, burn: null, headline: "", note: "", version: planned.version }
            : progressSchema.parse(context.progress);

        if (progress.waitsFor !== null) {
          if (context.answer === "stay_paused") return done(state, progress, { verified: false, now });
          progress = { ...progress, ...rampStart(now), waitsFor: null };
        } else if (context.progress === undefined && isPaused(state.controls, now) && state.controls.by !== `run:${context.runId}`) {
          return askOwner(state, progress);
        }
        const rampPlan = { steps, before: planned.before.limits?.concurrency ?? null, version: progress.version };
        const burnRate = await judgeBurn(ports.prometheus, queries, threshold, context.signal);
        const move = nextRampMove(
          progress,
          { burnRate: burnRate.kind, exhausted: isExhausted(state), lastStep: steps.length - 1, now },
          rules,
        );
        return act(move, progress, { rampPlan, burnRate, state, context });
      },
      async undo(plan, _output, context) {
        await restoreRamp(plan, context);
      },
    };

    async function act(move: RampMove, progress: Progress, look: RampLook): Promise<ActionResult> {
      const { rampPlan, burnRate, state, context } = look;
      const written = await settled(move.ramp.stage, look);
      const concurrency = rampPlan.steps[move.ramp.stage];
      const next: Progress = {
        ...move.ramp,
        reached: move.kind === "advance" && concurrency !== undefined ? [...progress.reached, concurrency] : progress.reached,
        waitsFor: null,
        burn: burnRate.kind === "unseen" ? null : [...burnRate.values],
        headline: `${move.why}; now ${concurrency === undefined ? "closed" : `${concurrency} at once`}`,
        note: burnRate.text,
        version: written.controls.version,
      };
      switch (move.kind) {
        case "advance":
        case "stay":
        case "step_back":
          return { kind: "continue", afterMs: pollIntervalMs, progress: next };
        case "finish":
          return done(written, next, { verified: true, now: context.clock.now() });
        case "ask_limit":
          return {
            kind: "ask",
            question: `Budget ${budget} is exhausted: ${formatUsd(state.spentMicroUsd + state.committedMicroUsd)} of ${formatUsd(state.budget.limitMicroUsd)} is spent or reserved. It stays closed. Raise its limit and answer "limit_raised", or answer "stay_paused".`,
            answers: ["limit_raised", "stay_paused"],
            progress: { ...next, waitsFor: "limit" },
          };
        case "ask_decision":
          return {
            kind: "ask",
            question: `Budget ${budget} is closed and stays closed: ${move.why} (${burnRate.text}; it stepped back ${move.ramp.stepsBack} times). Answer "try_again" to ramp from the beginning, or "stay_paused".`,
            answers: ["try_again", "stay_paused"],
            progress: { ...next, waitsFor: "decision" },
          };
      }
    }

    /** What somebody outside of this run has closed is not ours to open. */
    function askOwner({ controls }: BudgetState, progress: Progress): ActionResult {
      return {
        kind: "ask",
        question: `Budget ${budget} is paused by ${controls.by || "an unnamed person"}, not by this run: ${controls.reason || "no reason given"}. Answer "open" to ramp it up, or "stay_paused".`,
        answers: ["open", "stay_paused"],
        progress: { ...progress, waitsFor: "owner", version: controls.version },
      };
    }

    /** Makes the controls those of this stage, by compare-and-set; equal counts as done. Stage −1 is closed. */
    async function settled(step: number, { rampPlan, state: observed, context }: RampLook): Promise<BudgetState> {
      const by = `run:${context.runId}`;
      let state = observed;
      for (let tries = 0; tries < 5; tries++) {
        const { controls } = state;
        const present = controls.limits.concurrency;
        const concurrency = rampPlan.steps[step] ?? present;
        const closed = isPaused(controls, context.clock.now());
        // A look that ran before and whose progress was lost left another of our own values.
        const ours = controls.by === by && (present === rampPlan.before || (present !== null && rampPlan.steps.includes(present)));
        if (!ours && controls.version !== rampPlan.version) {
          throw new StepFailure({
            reason: "refused_by_target",
            message: `Somebody else changed the controls of budget ${budget} meanwhile (by ${controls.by || "unknown"}: ${controls.reason || "no reason given"}); they stay as they are.`,
            applied: "no",
          });
        }
        if (closed === step < 0 && present === concurrency) return state;
        const result = await ports.budgets.compareAndSet(budget, controls.version, {
          ...(step < 0
            ? { gate: "paused" as const, reason: "the burn came back during the ramp", by, pausedUntil: null }
            : openAs(context.runId, `ramp: ${concurrency} at once`)),
          limits: { ...controls.limits, concurrency },
        });
        state = await readBudget(ports.budgets, budget);
        if (result.set) return state;
      }
      throw new StepFailure({
        reason: "overloaded",
        message: `The controls of budget ${budget} change too often to be set.`,
        applied: "no",
      });
    }

    function done(
      state: BudgetState,
      progress: Progress,
      { verified, now }: { readonly verified: boolean; readonly now: number },
    ): ActionResult {
      const work = stateOfWork(state, now);
      const output: ActionOutput = {
        ...work,
        budget,
        steps: progress.reached,
        steps_back: progress.stepsBack,
        final_concurrency: state.controls.limits.concurrency,
        verified,
        resumed: !work.paused,
        ...(progress.burn !== null && { burn: progress.burn }),
      };
      return { kind: "done", output };
    }

    async function restoreRamp(plan: Parameters<typeof plannedOf>[0], context: ActionContext): Promise<void> {
      const { stages: steps } = dataSchema.parse(plan.data);
      const planned = plannedOf(plan);
      const { controls } = await readBudget(ports.budgets, budget);
      const halfWay = controls.by === `run:${context.runId}` && steps.includes(controls.limits.concurrency ?? 0);
      // A ramp that was stopped between its stages left one of its own values; that is no third value.
      const after: ControlFields = halfWay
        ? { ...planned.after, reason: controls.reason, gate: controls.gate, limits: { ...controls.limits } }
        : planned.after;
      await restorePlanned(ports.budgets, { ...planned, after });
    }
  },
});

function concurrencyStepsOf(full: number): readonly number[] {
  return stepShares.map((share) => Math.max(1, Math.floor(full * share)));
}

function openAs(runId: string, reason: string) {
  return { gate: "open", by: `run:${runId}`, reason, pausedUntil: null } as const;
}

function isExhausted(state: BudgetState): boolean {
  return state.spentMicroUsd + state.committedMicroUsd >= state.budget.limitMicroUsd;
}

function defaultQueries(budget: string): readonly string[] {
  return ["ratio5m", "ratio30m"].map((window) => `budget:llm_budget_burn:${window}{budget="${budget}"}`);
}
