import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";
import { type NewTicket, newTicketSchema, type Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Clock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import type { BudgetLedger } from "../budgets/budget-ledger.ts";
import { formatModelRef } from "../models/model-ref.ts";
import { evaluationKind, isAnsweredBy } from "../models/route-history.ts";
import { hasEnded, type TicketEnqueuer, type TicketStore } from "../tickets/ticket.ts";
import { baseCommitOf } from "../tickets/trial.ts";
import type { EvaluatedPair, EvaluatedSide, EvaluationRequest, EvaluationState, Evaluator } from "./evaluator.ts";

/** What an evaluation on tickets that are code work needs. */
export interface StagedEvaluationDeps {
  readonly tickets: Pick<TicketStore, "addAll" | "get" | "cancel">;
  readonly queue: TicketEnqueuer;
  readonly ledger: Pick<BudgetLedger, "usagePages" | "cancelTicket">;
  readonly clock: Pick<Clock, "now">;
}

/** Our own evaluator, for tickets that are code work and begin from a commit that is still named. */
export interface StagedEvaluators {
  /** An evaluator of exactly this request; undefined when one of its tickets is no such work. */
  open(request: EvaluationRequest): Promise<Evaluator | undefined>;
}

const sides = ["baseline", "candidate"] as const;
type Side = (typeof sides)[number];

/** A ticket to be tried, and the ids of its two trials. */
interface TriedTicket {
  readonly original: Ticket;
  readonly trialIds: { readonly [Name in Side]: string };
}

/**
 * Each ticket is worked on once more with either model, from the commit that it began with, as a ticket of its queue and budget that ends before `publish`.
 * It is good when its tests and its review pass. The workers of the queue do the work; the command is told the model.
 */
export function createStagedEvaluators({ tickets, queue, ledger, clock }: StagedEvaluationDeps): StagedEvaluators {
  return {
    async open({ subject, ticketIds = [] }) {
      if (subject.kind !== "model") return undefined;
      const asked = await Promise.all(ticketIds.map(async (id) => tickets.get(id)));
      const originals = asked.filter((ticket) => ticket !== undefined && baseCommitOf(ticket) !== undefined);
      if (originals.length === 0 || originals.length < ticketIds.length) return undefined;
      const models = { baseline: subject.from, candidate: subject.to };
      const triedOf = (id: string) => originals.flatMap((original) => (original === undefined ? [] : [triedTicket(id, original)]));

      return {
        async start(_request, key) {
          const id = `staged-${sha256(key).slice(0, 16)}`;
          const trials = triedOf(id).flatMap((tried) => sides.map((side) => newTrial(tried, side, models[side])));
          // The same ids again are known, and stay as they are.
          await tickets.addAll(trials);
          for (const name of new Set(trials.map((trial) => trial.queue))) {
            await queue.enqueueAll(
              trials.filter((trial) => trial.queue === name),
              name,
            );
          }
          return { id };
        },
        async read(id): Promise<EvaluationState> {
          const tried = triedOf(id);
          const trials = new Map<string, Ticket>();
          for (const trialId of tried.flatMap(({ trialIds }) => Object.values(trialIds))) {
            const trial = await tickets.get(trialId);
            if (trial !== undefined) trials.set(trialId, trial);
          }
          const first = Math.min(clock.now(), ...[...trials.values()].map(({ createdAt }) => createdAt));
          const events: UsageEvent[] = [];
          for await (const page of ledger.usagePages(first, clock.now() + 1))
            events.push(...page.filter(({ ticketId }) => trials.has(ticketId)));
          const costMicroUsd = events.reduce((sum, event) => sum + event.costMicroUsd, 0);
          const isOver = ({ trialIds }: TriedTicket) =>
            sides.every((side) => {
              const trial = trials.get(trialIds[side]);
              return trial === undefined || hasEnded(trial.state);
            });
          const done = tried.filter(isOver).length;
          if (done < tried.length) return { kind: "running", done, of: tried.length, costMicroUsd };
          const pairs: EvaluatedPair[] = [];
          for (const { original, trialIds } of tried) {
            const [baseline, candidate] = sides.map((side) => {
              const ofTrial = events.filter(({ ticketId }) => ticketId === trialIds[side]);
              return judgeTrial(trials.get(trialIds[side]), { events: ofTrial, model: models[side] });
            });
            const wrong = [baseline, candidate].find((side) => typeof side === "string");
            if (typeof wrong === "string") return { kind: "failed", reason: `ticket ${original.id} ${wrong}` };
            if (typeof baseline === "object" && typeof candidate === "object") pairs.push({ ticketId: original.id, baseline, candidate });
          }
          return { kind: "done", pairs, costMicroUsd };
        },
        async stop(id) {
          for (const { original, trialIds } of triedOf(id))
            for (const trialId of Object.values(trialIds)) {
              await tickets.cancel(trialId, "the evaluation was stopped");
              await ledger.cancelTicket(original.budget, trialId);
            }
        },
      };
    },
  };
}

function triedTicket(evaluation: string, original: Ticket): TriedTicket {
  const name = `${evaluation}-${sha256(original.id).slice(0, 16)}`;
  return { original, trialIds: { baseline: `${name}-baseline`, candidate: `${name}-candidate` } };
}

function newTrial({ original, trialIds }: TriedTicket, side: Side, model: ModelRef): NewTicket {
  const { payload, budget, queue, maxAttempts } = original;
  const evaluation = { ticket: original.id, model: formatModelRef(model) };
  return newTicketSchema.parse({
    id: trialIds[side],
    budget,
    queue,
    maxAttempts,
    kind: evaluationKind,
    variant: "evaluation",
    // A ticket of which the base is known has an object as its payload.
    payload: { ...Object(payload), evaluation },
  });
}

/** How a trial went; a sentence when it shows nothing of the model, undefined when it was cancelled or is gone. */
function judgeTrial(
  trial: Ticket | undefined,
  { events, model }: { readonly events: readonly UsageEvent[]; readonly model: ModelRef },
): EvaluatedSide | string | undefined {
  if (trial === undefined || trial.state === "cancelled") return undefined;
  const failed = trial.state !== "succeeded";
  // A command that does not take the model that it is told would compare a model with itself.
  if (!(failed && events.length === 0) && !events.some((event) => isAnsweredBy(event, model)))
    return `was worked on without ${formatModelRef(model)}; the command must use RUNBOOKD_MODEL and report its usage`;
  return {
    quality: failed ? 0 : 1,
    failed,
    refused: events.some(({ outcome }) => outcome === "refusal"),
    costMicroUsd: events.reduce((sum, event) => sum + event.costMicroUsd, 0),
  };
}
