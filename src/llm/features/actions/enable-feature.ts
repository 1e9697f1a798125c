import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import type { ActionOutput, Change } from "../../../../packages/sdk/src/wire/plans.ts";
import { rolloutPlanSchema } from "../../../../packages/sdk/src/wire/rollouts.ts";
import type { SecurityFinding } from "../../../../packages/sdk/src/wire/security-findings.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf, promqlParameter } from "../../../actions/parameter-types.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { Instant } from "../../../core/clock.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { Feature } from "../../../core/feature.ts";
import type { Journal } from "../../../core/journal.ts";
import { sha256 } from "../../../core/json.ts";
import { shortLine } from "../../../core/one-line.ts";
import { formatShare } from "../../../core/share.ts";
import { featureMeant, noFeature } from "../../findings/which-feature.ts";
import { checkGuards } from "../../rollouts/check-guards.ts";
import { complete, rollBack, undoneBy } from "../../rollouts/end-rollout.ts";
import { carryOn, growthProgressSchema, pollResult } from "../../rollouts/grow-rollout.ts";
import type { RolloutGuard } from "../../rollouts/next-rollout-move.ts";
import { isLive } from "../../rollouts/rollout.ts";
import { type RolloutPorts, readRollout } from "../../rollouts/rollout-ports.ts";
import { checkReturn } from "../check-return.ts";
import type { FeaturePorts } from "../feature-ports.ts";
import { isOfIncident, planReturn, type ReturnPlan, returnPlanSchema } from "../plan-return.ts";
import { maxFindings } from "../read-containment.ts";
import { nameOfFlag, switchOff } from "../switch-off.ts";
import { openGates, switchOnForNobody } from "../switch-on.ts";

type Growing = Extract<ReturnPlan, { readonly kind: "grow" }>;

const progressSchema = z.object({
  rollout: z.string(),
  growth: growthProgressSchema.exactOptional(),
  /** Gates that stay closed, one sentence each. */
  closed: z.array(z.string()),
  /** For a report and for people who look at the run. */
  headline: z.string(),
  sentence: z.string(),
});

/** Before anything is switched on. */
const waitingSchema = z.object({ waitingSince: z.number() });
/** Steps for which a guard is waited for, and how often it is asked within one. */
const maxWaits = 6;
const waitsPerStep = 12;
const minWaitMs = 1000;

const personAnswers = ["enabled", "leave_off"] as const;

/** What bringing a feature back acts on. */
interface EnablePorts extends RolloutPorts, Pick<FeaturePorts, "features" | "securityFindings" | "flags" | "flagSwitches" | "budgets"> {
  /** The record of a run; undefined: there is none that can be read. */
  readonly readJournal: (runId: string) => Promise<Journal | undefined>;
}

/** Gives a feature back to a growing share of the tickets, and takes it back when anything speaks against it. */
export const enableFeature = defineAction({
  name: "enable-feature",
  summary:
    "Gives a feature back to a growing share of the tickets by a rollout of its flag. The share grows while tickets with the feature do as well as those without it and no guard speaks against it; a new finding, or harm, switches the feature off again.",
  parameters: z.strictObject({
    feature: featureNameSchema.meta({ description: "Name of one feature of runbookd.yml." }),
    steps: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .max(12)
      .refine((steps) => steps.every((share, index) => share > (steps[index - 1] ?? 0)), "must grow")
      .refine((steps) => steps.at(-1) === 1, "must end with 1")
      .default([0.1, 0.5, 1])
      .meta({ description: "Shares of new tickets, in order." }),
    every: durationParameter("Shortest time of one step.").default("1h"),
    guards: z
      .array(promqlParameter("A query that returns nothing while all is well."))
      .max(10)
      .default([])
      .meta({ format: "promql", description: "Queries that must return nothing; a series takes the feature back." }),
    margin: z
      .number()
      .gt(0)
      .max(0.5)
      .default(0.1)
      .meta({ description: "Tickets with the feature may succeed less often than those without it by less than this, of 1." }),
    min_tickets: z
      .int()
      .min(1)
      .max(10_000)
      .default(30)
      .meta({ description: "Tickets with the feature that must have ended in each step." }),
    deadline: durationParameter("A ticket that has not ended after this time counts as failed.").default("6h"),
  }),
  result: {
    feature: "name of the feature",
    flag: "the flag whose share has grown",
    rollout: "id of the rollout of that flag, or empty",
    share: "share of new tickets that have the feature now",
    enabled: "whether every new ticket has it",
    reason: "why it ended, for people",
    closed: "gates that stay closed because another person or run has closed them, one sentence each",
  },
  effect: "set",
  risk: "raises",
  targetsOf: ({ feature }) => (typeof feature === "string" ? [`feature/${feature}`] : []),
  timeoutMs: 60_000,
  probes: false,
  undoes: true,
  behave(parameters, ports: EnablePorts) {
    const { feature: name } = parameters;
    return {
      async plan(context) {
        const feature = meantFeature(context);
        const planned = await planReturn(feature, ports.flags);
        const before = await guardOf(feature, { planned, since: undefined }, context);
        if (before.kind === "broken") throw refused(`Feature ${feature.name} stays off: ${before.text}.`);
        return {
          summary: summaryOf(planned),
          targets: [`feature/${feature.name}`],
          changes: planned.kind === "grow" ? await changesOf(feature, planned, context) : [],
          reversible: true,
          data: planned,
        };
      },
      async run(plan, context): Promise<ActionResult> {
        const feature = meantFeature(context);
        const planned = returnPlanSchema.parse(plan.data);
        if (planned.kind === "on") {
          const on = { rollout: "", flag: planned.flag, closed: [], share: 1, enabled: true, reason: "Every ticket has it already." };
          return { kind: "done", output: outputOf(feature, on) };
        }
        if (planned.kind === "by_person") return askPerson(feature, planned.why, context);
        const progress = progressSchema.safeParse(context.progress).data;
        if (progress !== undefined) return grow(feature, { planned, progress }, context);
        return (await waitForGuards(context)) ?? begin(feature, planned, context);
      },
      async undo(plan, _output, context) {
        const planned = returnPlanSchema.parse(plan.data);
        const feature = meantFeature(context);
        const now = context.clock.now();
        if (planned.kind === "grow") {
          const rollout = await ports.rolloutStore.liveOf(`flag/${planned.flag.key}`);
          if (rollout !== undefined && rollout.runId === context.runId) await rollBack(ports, rollout, undoneBy(context.runId, now));
        }
        const reason = "a later step of the run failed and the run undid its changes";
        await switchOff({ feature, stopBefore: now, by: `run:${context.runId}`, reason }, ports);
      },
    };

    function meantFeature(context: Pick<ActionContext, "answer" | "results">): Feature {
      const meant = featureMeant(name, ports.features, { ...context, answer: undefined });
      if (meant !== undefined && meant !== noFeature) return meant;
      throw refused(`runbookd.yml describes no feature "${name}"; a person has to switch it on.`);
    }

    async function isOurs(by: string, context: ActionContext): Promise<boolean> {
      return isOfIncident(by, context, ports.readJournal);
    }

    async function changesOf(feature: Feature, { flag: { key, from, to } }: Growing, context: ActionContext): Promise<readonly Change[]> {
      const state = (await ports.flags.read(key))?.state ?? "unknown";
      const shares = parameters.steps.map((share) => formatShare(share)).join(", ");
      const ofGates = feature.budgets.map(async (id): Promise<readonly Change[]> => {
        const controls = (await ports.budgets.read(id).catch(() => undefined))?.controls;
        const opens = controls?.gate === "paused" && (await isOurs(controls.by, context).catch(() => false));
        return opens ? [{ target: `budget/${id}`, field: "gate", before: "paused", after: "open" }] : [];
      });
      return [
        { target: `flag/${key}`, field: "state", before: state, after: "on" },
        { target: `flag/${key}`, field: `share of ${to}`, before: `none, every ticket gets ${from}`, after: shares },
        ...(await Promise.all(ofGates)).flat(),
      ];
    }

    /** What a guard measured of the release before may still be there: it is waited for, and nothing is switched on until then. Undefined: no guard is broken. */
    async function waitForGuards({ clock, progress, signal }: ActionContext): Promise<ActionResult | undefined> {
      const guard = await checkGuards(parameters.guards, { prometheus: ports.prometheus, signal });
      if (guard.kind !== "broken") return undefined;
      const now = clock.now();
      const since = waitingSchema.safeParse(progress).data?.waitingSince ?? now;
      const everyMs = millisecondsOf(parameters.every);
      if (now - since >= maxWaits * everyMs) throw refused(`Feature ${name} stays off: ${guard.text}.`);
      const sentence = `Nothing is switched on while ${guard.text}.`;
      return {
        kind: "continue",
        afterMs: Math.max(minWaitMs, everyMs / waitsPerStep),
        progress: { waitingSince: since, headline: "", sentence },
      };
    }

    /** The rollout is recorded before any ticket gets the feature; doing this again changes nothing. */
    async function begin(feature: Feature, { flag }: Growing, context: ActionContext): Promise<ActionResult> {
      const { idempotencyKey, runId } = context;
      const how = { by: `run:${runId}`, reason: "the feature comes back, to a growing share of its tickets" };
      const id = `ro-${sha256(idempotencyKey).slice(0, 16)}`;
      const subject = { kind: "flag", flag: flag.key, from: flag.from, to: flag.to } as const;
      const created = await ports.rolloutStore.create({ id, subject, plan: rolloutPlanOf(), salt: id, by: how.by, runId });
      if (created.kind === "busy" || created.kind === "taken")
        throw refused(`Rollout ${created.rollout.id} has flag ${flag.key} now; one rollout at a time.`);
      if (created.kind === "too_many") throw refused("Ten rollouts are live; end one of them first.");
      await switchOnForNobody(ports.flags, flag, how);
      const { opened, closed } = await openGates(feature, { ...how, isOurs: async (by) => isOurs(by, context) }, ports.budgets);
      const sentence = opened.length === 0 ? "" : `The gates of ${opened.join(", ")} are open.`;
      return { kind: "continue", afterMs: 0, progress: { rollout: id, closed: [...closed], headline: "", sentence } };
    }

    async function grow(
      feature: Feature,
      { planned, progress }: { readonly planned: Growing; readonly progress: z.output<typeof progressSchema> },
      context: ActionContext,
    ): Promise<ActionResult> {
      const { rollout: id, growth: before, closed } = progress;
      const growth = await carryOn(ports, id, { context, progress: before });
      const { createdAt } = await readRollout(ports.rolloutStore, id);
      const criterion = await guardOf(feature, { planned, since: createdAt }, context);
      const polled = await pollResult(ports, id, { context, progress: growth, until: 1, criterion });
      if (polled.kind !== "done") {
        const next = growthProgressSchema.parse(polled.progress);
        return { ...polled, progress: { rollout: id, growth: next, closed, headline: next.headline, sentence: next.note } };
      }
      const by = `run:${context.runId}`;
      const now = context.clock.now();
      const ended = { rollout: id, flag: planned.flag.key, closed };
      if (polled.proven && isLive(polled.rollout)) {
        await complete(ports, polled.rollout, { by, now, reason: "completed", detail: "the feature is back for every ticket" });
        return { kind: "done", output: outputOf(feature, { ...ended, share: 1, enabled: true, reason: polled.reason }) };
      }
      if (polled.rollout.state === "promoted")
        return { kind: "done", output: outputOf(feature, { ...ended, share: 1, enabled: true, reason: polled.reason }) };
      // The share is taken back already; what is off is off in every way again.
      await switchOff({ feature, stopBefore: now, by, reason: shortLine(`taken back: ${polled.reason}`, 300) }, ports);
      return { kind: "done", output: outputOf(feature, { ...ended, share: 0, enabled: false, reason: polled.reason }) };
    }

    /** `since`: when the feature began to come back; undefined: it has not yet. */
    async function guardOf(
      feature: Feature,
      { planned, since }: { readonly planned: ReturnPlan; readonly since: Instant | undefined },
      { runId, acceptedAt }: ActionContext,
    ): Promise<RolloutGuard> {
      // Findings carry the name of the alert, also when a person has named another feature.
      const names = [...new Set([name, feature.name])];
      const lists = await Promise.all(
        names.map(async (one) => ports.securityFindings.list({ feature: one }, maxFindings + 1).catch(() => undefined)),
      );
      const isComplete = lists.every((list) => list !== undefined && list.length <= maxFindings);
      const findings = isComplete ? lists.flatMap((list) => list ?? []) : undefined;
      const flag = planned.kind === "grow" ? await ports.flags.read(planned.flag.key) : undefined;
      const reopened = since === undefined || findings === undefined ? [] : await reopenedSince(findings, since);
      return checkReturn({ runId, acceptedAt, since, findings: reopened && findings, reopened: reopened ?? [], flag });
    }

    /** Ids of the findings that were opened again since then; undefined: that cannot be read. */
    async function reopenedSince(findings: readonly SecurityFinding[], since: Instant): Promise<readonly string[] | undefined> {
      const open = findings.filter(({ state }) => state === "open");
      const ids = open.map(async ({ id }) => {
        const events = await ports.securityFindings.events(id);
        return events.some(({ kind, value, at }) => kind === "state" && value === "open" && at >= since) ? [id] : [];
      });
      return (await Promise.all(ids).catch(() => undefined))?.flat();
    }

    function rolloutPlanOf() {
      return rolloutPlanSchema.parse({
        steps: [...parameters.steps],
        intervalMs: millisecondsOf(parameters.every),
        minPerStep: parameters.min_tickets,
        margin: parameters.margin,
        // Tickets without the feature cost less, and that is no reason to leave it off.
        costLimit: null,
        holdback: 0,
        deadlineMs: millisecondsOf(parameters.deadline),
        lagMs: 0,
        guards: [...parameters.guards],
      });
    }

    async function askPerson(feature: Feature, why: string, { answer }: ActionContext): Promise<ActionResult> {
      const decided = personAnswers.find((one) => one === answer);
      if (decided === undefined)
        return {
          kind: "ask",
          question: `${why} Switch feature ${feature.name} on by hand, for a small share first, and open the gates of its budgets. Answer "enabled" when every ticket has it, or "leave_off".`,
          answers: [...personAnswers],
          progress: null,
        };
      const off = decided === "leave_off" ? ["a person leaves it off"] : await switchedOff(feature);
      const reason = off.length === 0 ? "A person has switched it on." : `It is not on: ${off.join("; ")}.`;
      const isOn = off.length === 0;
      return { kind: "done", output: outputOf(feature, { rollout: "", flag: "", closed: [], share: isOn ? 1 : 0, enabled: isOn, reason }) };
    }

    /** Flags and gates of the feature that are not on now. */
    async function switchedOff({ flags, budgets }: Feature): Promise<readonly string[]> {
      const ofFlags = flags.map(async (flag) => {
        const reading = await ports.flagSwitches[flag.system].read(flag.key);
        return reading?.state === "on" ? [] : [`flag ${nameOfFlag(flag)} is ${reading?.state ?? "not there"}`];
      });
      const ofBudgets = budgets.map(async (id) => {
        const state = await ports.budgets.read(id);
        return state?.controls.gate === "open" ? [] : [`budget ${id} is ${state?.controls.gate ?? "not there"}`];
      });
      return (await Promise.all([...ofFlags, ...ofBudgets])).flat();
    }

    function summaryOf(planned: ReturnPlan): string {
      if (planned.kind === "on") return `Leave feature ${planned.feature} as it is: every ticket has it`;
      if (planned.kind === "by_person") return `Ask a person to switch feature ${planned.feature} on: ${planned.why}`;
      const shares = parameters.steps.map((share) => formatShare(share)).join(", then ");
      return `Give feature ${planned.feature} to ${shares} of the tickets, each for ${parameters.every} at least, and switch it off again when anything speaks against it`;
    }
  },
});

function outputOf(
  { name }: Feature,
  result: {
    readonly rollout: string;
    readonly flag: string;
    readonly share: number;
    readonly enabled: boolean;
    readonly reason: string;
    readonly closed: readonly string[];
  },
): ActionOutput {
  return { feature: name, ...result, closed: [...result.closed] };
}

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
