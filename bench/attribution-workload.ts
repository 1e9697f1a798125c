import type { Segment } from "../packages/sdk/src/wire/costs.ts";
import { createRandom, type Random } from "../src/core/random.ts";
import type { CostEvent } from "../src/llm/cost/cost-window.ts";
import { drawWeights, drawWindow, elements } from "../test/builders/cost-workload.ts";

/** A baseline and an incident of the same length, each in the order of time, and the segment whose attempts are repeated in the incident. */
export interface AttributionWorkload {
  readonly then: readonly CostEvent[];
  readonly now: readonly CostEvent[];
  readonly faulty: Segment;
}

/** About so many events a ticket has, in the mean of both windows. */
const eventsPerTicket = 21.3;
const windowMs = 3_600_000;
const turnMs = 20_000;

/** About `count` events in two windows; in the second one prompt's calls of one operation need nine times the attempts. */
export function createAttributionWorkload(count: number, seed = 21): AttributionWorkload {
  const random = createRandom(seed);
  const weights = drawWeights(random);
  const commonest = (dimension: "prompt" | "operation") =>
    elements[dimension][weights[dimension].indexOf(Math.max(...weights[dimension]))] ?? "";
  const faulty = { prompt: commonest("prompt"), operation: commonest("operation") };
  const tickets = Math.ceil(count / 2 / eventsPerTicket);
  return {
    then: takeTurns(random, drawWindow(random, weights, tickets)),
    now: takeTurns(random, drawWindow(random, weights, tickets, { kind: "retry", within: faulty, times: 9 })),
    faulty,
  };
}

/**
 * Twelve turns an attempt in the mean, each an event; tickets run beside each other. Each event is an object of its own, made in the order of time, as when a
 * ledger is read, and little else is made: what the process takes beyond the events would hide what a side takes.
 */
function takeTurns(random: Random, attempts: readonly CostEvent[]): readonly CostEvent[] {
  const begun: { readonly attempt: CostEvent; readonly until: number }[][] = [];
  let ticketId = "";
  let turn = 0;
  for (const attempt of attempts) {
    if (attempt.ticketId !== ticketId) turn = Math.floor((random() * windowMs) / turnMs);
    ticketId = attempt.ticketId;
    const until = turn + 1 + Math.floor(random() * 23);
    (begun[turn] ??= []).push({ attempt, until });
    turn = until;
  }
  const events: CostEvent[] = [];
  let running: (typeof begun)[number] = [];
  for (let now = 0; now < begun.length || running.length > 0; now += 1) {
    running = running.filter(({ until }) => until > now).concat(begun[now] ?? []);
    for (const { attempt } of running) events.push({ ...attempt, dims: { ...attempt.dims }, at: now * turnMs });
  }
  return events;
}
