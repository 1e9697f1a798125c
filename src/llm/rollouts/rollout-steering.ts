import type { Rollout, RolloutDecision, RolloutPlan, RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";
import type { Clock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import type { PrometheusReader } from "../../core/prometheus.ts";
import { formatShare } from "../../core/share.ts";
import type { ModelCatalog } from "../models/model-catalog.ts";
import { complete, rollBack } from "./end-rollout.ts";
import { pollRollout } from "./poll-rollout.ts";
import { refuseCandidate } from "./refuse-candidate.ts";
import { resumeChange } from "./resume-change.ts";
import { isGrowing, isLive, type NewRollout, type RolloutChange, type RolloutStore, shareAt } from "./rollout.ts";
import type { ShareControl, ShareControls, ShareRequest, SubjectTarget } from "./share-control.ts";

/** What a person asks for, by whom and why. */
export interface SteeringOrder {
  readonly by: string;
  readonly reason: string;
}

/** A rollout that a person asks for. */
export interface RolloutOrder extends SteeringOrder, Pick<NewRollout, "id" | "plan"> {
  readonly subject: SubjectTarget;
}

/** Reply to an order. `refused`: nothing was changed; `because` names what kind of refusal it is, `detail` is a sentence for people. */
export type SteeringResult =
  | { readonly kind: "done"; readonly rollout: Rollout }
  | { readonly kind: "refused"; readonly because: "unknown" | "invalid" | "conflict"; readonly detail: string };

/** What people may do with rollouts. A person's word holds over a run's: an order that lost a race is carried out on what came. */
export interface RolloutSteering {
  /** Plans one; no ticket gets the new variant yet. */
  create(order: RolloutOrder): Promise<SteeringResult>;
  /** Gives a planned rollout its first share, and lets a held one go on. */
  start(id: string, order: SteeringOrder): Promise<SteeringResult>;
  /** One step further, as far as the counts permit it; behind the last step every ticket gets the new variant. Harm that shows is taken back. */
  grow(id: string, order: SteeringOrder & { readonly signal: AbortSignal }): Promise<SteeringResult>;
  /** Keeps the share as it is until a person says more. */
  hold(id: string, order: SteeringOrder): Promise<SteeringResult>;
  /** New tickets get the old variant again. */
  takeBack(id: string, order: SteeringOrder): Promise<SteeringResult>;
}

/** What carrying out an order needs. */
export interface RolloutSteeringDeps {
  readonly store: RolloutStore;
  readonly controls: ShareControls;
  readonly models: Pick<ModelCatalog, "describe">;
  /** For the guards of a plan. */
  readonly prometheus: PrometheusReader;
  readonly clock: Pick<Clock, "now">;
}

/** Tries of an order when another change came first. */
const maxTries = 5;

/** Carries out what people order. Members reject with StoreUnavailable when the store does not answer. */
export function createRolloutSteering({ store, controls, models, prometheus, clock }: RolloutSteeringDeps): RolloutSteering {
  /** Repeats `decide` on the newest version until its change is written. */
  async function steer(
    id: string,
    decide: (rollout: Rollout) => Promise<SteeringResult | Omit<RolloutChange, "id" | "expected">>,
  ): Promise<SteeringResult> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const rollout = await store.read(id);
      if (rollout === undefined) return refused("unknown", noRollout(id));
      const decided = await decide(rollout);
      if ("kind" in decided) return decided;
      const result = await store.change({ ...decided, id, expected: rollout.version });
      if (result.kind === "set") return { kind: "done", rollout: result.rollout };
    }
    return refused("conflict", `Rollout ${id} was changed by others again and again. Read it again and decide.`);
  }

  const unfitness = async (to: ModelRef, plan: RolloutPlan): Promise<string | undefined> => {
    const [candidate] = await models.describe([to]);
    return candidate && refuseCandidate(candidate, plan);
  };

  const decisionOf = (
    { plan }: Pick<Rollout, "plan">,
    step: number,
    decided: Pick<RolloutDecision, "decision" | "reason" | "detail" | "by">,
  ): RolloutDecision => ({ ...decided, at: clock.now(), step, share: shareAt(plan, step) });

  async function begin(rollout: Rollout, control: ShareControl, { by, reason }: SteeringOrder): Promise<SteeringResult> {
    const { id, version, plan } = rollout;
    const share = shareAt(plan, 0);
    const decision = decisionOf(rollout, 0, { decision: "advance", reason: "begins", detail: reason, by });
    // The step is recorded before its share is given out, so that no ticket can name a share that the store does not know.
    const begun = await store.change({ id, expected: version, set: { state: "running", step: 0, stepSince: clock.now() }, decision });
    if (begun.kind === "conflict") return refused("conflict", `Rollout ${id} was changed by others. Read it again and decide.`);
    const refusal = await refusalOf(() => control.set(requestOf(rollout, by), share));
    if (refusal === undefined) {
      const present = await store.read(id);
      if (present?.state !== "rolled_back" && present?.state !== "aborted") return { kind: "done", rollout: begun.rollout };
      // It was taken back before its share was given out, so nothing else takes the share away.
      return refused("conflict", (await refusalOf(() => control.rollBack(requestOf(rollout, by)))) ?? ended(present).detail);
    }
    const back = decisionOf(rollout, rollout.step, { decision: "hold", reason: "share_refused", detail: refusal, by });
    const set = { state: rollout.state, step: rollout.step, stepSince: clock.now() };
    await store.change({ id, expected: begun.rollout.version, set, decision: back });
    return refused("conflict", refusal);
  }

  return {
    async create({ id, plan, subject: target, by }) {
      const control = controls[target.kind];
      if (control === undefined) return noControl(target.kind);
      if (!isGrowing(plan))
        return refused(
          "invalid",
          `The steps do not grow: ${formatShare(plan.holdback)} of the tickets stay as they are, so that no step has more than ${formatShare(1 - plan.holdback)}. Leave out those that come to the same, or choose a smaller holdback.`,
        );
      const subject = await control.resolve(target);
      if (subject === undefined) return refused("unknown", `There is no ${nameOf(target)}, or not in the version that was asked for.`);
      if (isUnchanged(subject))
        return refused("invalid", `Tickets of ${nameOf(target)} get ${variantOf(subject.to)} already: from and to are the same.`);
      const unfit = subject.kind === "model" ? await unfitness(subject.to, plan) : undefined;
      if (unfit !== undefined) return refused("invalid", unfit);
      const trial = await control.trialOf(target);
      if (trial !== undefined && trial.rollout !== id)
        return refused(
          "conflict",
          `${formatShare(trial.share)} of the tickets of ${nameOf(target)} get ${variantOf(trial.subject.to)} now, ${trial.rollout === undefined ? "set by a person" : `by rollout ${trial.rollout}`}. Take that back first.`,
        );
      const made = await store.create({ id, subject, plan, salt: id, by });
      switch (made.kind) {
        case "created":
          return { kind: "done", rollout: made.rollout };
        case "exists":
          return isLive(made.rollout) ? { kind: "done", rollout: made.rollout } : ended(made.rollout);
        case "busy":
          return refused(
            "conflict",
            `Rollout ${made.rollout.id} of ${nameOf(target)} is ${made.rollout.state}. Let it end or take it back first.`,
          );
        case "taken":
          return refused("conflict", `The id ${id} has another rollout, of ${made.rollout.by}. Choose another id.`);
        case "too_many":
          return refused("conflict", "Ten rollouts are live, and more cannot be watched. Let one end or take one back first.");
      }
    },
    start: (id, order) =>
      steer(id, async (rollout) => {
        const { state, subject, step } = rollout;
        if (state === "running") return { kind: "done", rollout };
        if (!isLive(rollout)) return ended(rollout);
        const control = controls[subject.kind];
        if (control === undefined) return noControl(subject.kind);
        if (step < 0) return begin(rollout, control, order);
        return resumeChange(store, rollout, { by: order.by, now: clock.now(), reason: "released", detail: order.reason });
      }),
    async grow(id, { by, reason, signal }) {
      const rollout = await store.read(id);
      if (rollout === undefined) return refused("unknown", noRollout(id));
      const { state, runId } = rollout;
      if (state === "promoted") return { kind: "done", rollout };
      if (!isLive(rollout)) return ended(rollout);
      if (runId !== undefined) return refused("conflict", `Run ${runId} drives rollout ${id}, and asks people when it may grow.`);
      if (state !== "running") return refused("conflict", `Rollout ${id} is ${state}. Start it first, which also lets a held one go on.`);
      const ports = { rolloutStore: store, shareControls: controls, prometheus };
      try {
        const now = clock.now();
        const { rollout: polled, move } = await pollRollout(ports, { id, by, now, signal, until: 1, memory: {} });
        if (move.kind === "advance") return { kind: "done", rollout: polled };
        if (move.kind === "finish")
          return { kind: "done", rollout: await complete(ports, polled, { by, now, reason: "completed", detail: reason }) };
        const effect = move.kind === "roll_back" ? "was taken back" : move.kind === "hold" ? "is on hold now" : "does not grow";
        return refused("conflict", `Rollout ${id} ${effect}. ${move.detail}`);
      } catch (error) {
        if (error instanceof StepFailure) return refused("conflict", error.failure.message);
        throw error;
      }
    },
    hold: (id, { by, reason }) =>
      steer(id, async (rollout) => {
        const { state, step } = rollout;
        if (state === "holding") return { kind: "done", rollout };
        if (!isLive(rollout)) return ended(rollout);
        if (state === "planned") return refused("conflict", `Rollout ${id} has no share yet that could be kept. Take it back to end it.`);
        return { set: { state: "holding" }, decision: decisionOf(rollout, step, { decision: "hold", reason: "held", detail: reason, by }) };
      }),
    takeBack: (id, { by, reason }) =>
      steer(id, async (rollout) => {
        const control = controls[rollout.subject.kind];
        if (rollout.state !== "rolled_back" && !isLive(rollout)) return ended(rollout);
        if (control === undefined) return noControl(rollout.subject.kind);
        // A share that was left to it, because a process died while it took the rollout back, is taken away.
        if (rollout.state === "rolled_back" && (await control.trialOf(rollout.subject))?.rollout !== id) return { kind: "done", rollout };
        const cause = { by, now: clock.now(), reason: "taken_back", detail: reason };
        const refusal = await refusalOf(
          async () => void (await rollBack({ rolloutStore: store, shareControls: controls }, rollout, cause)),
        );
        if (refusal !== undefined) return refused("conflict", refusal);
        return { kind: "done", rollout: (await store.read(id)) ?? rollout };
      }),
  };
}

/** Says that there is no rollout with this id. */
export function noRollout(id: string): string {
  return `There is no rollout ${JSON.stringify(id.slice(0, 60))}; GET /api/rollouts lists them.`;
}

function requestOf({ id, subject, salt }: Rollout, by: string): ShareRequest {
  return { subject, salt, rollout: id, by };
}

/** Why the target refused, when it did. */
async function refusalOf(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof StepFailure) return error.failure.message;
    throw error;
  }
}

function refused(because: "unknown" | "invalid" | "conflict", detail: string): Extract<SteeringResult, { readonly kind: "refused" }> {
  return { kind: "refused", because, detail };
}

function ended({ id, state }: Rollout): Extract<SteeringResult, { readonly kind: "refused" }> {
  return refused("conflict", `Rollout ${id} has ended (${state}), and that is final.`);
}

function noControl(kind: RolloutSubject["kind"]): SteeringResult {
  return refused("invalid", `This runbookd gives no shares of a ${kind}.`);
}

function nameOf(target: SubjectTarget): string {
  return target.kind === "model" ? `route ${target.route}` : target.kind === "prompt" ? `prompt ${target.prompt}` : `flag ${target.flag}`;
}

function isUnchanged({ from, to }: RolloutSubject): boolean {
  return variantOf(from) === variantOf(to);
}

/** The model, version or variant in words. */
function variantOf(variant: RolloutSubject["from"]): string {
  return typeof variant === "object"
    ? `${variant.provider}/${variant.model}`
    : typeof variant === "number"
      ? `version ${variant}`
      : variant;
}
