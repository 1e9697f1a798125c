import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { millisecondsOf } from "../../../actions/parameter-types.ts";
import type { RecoveryPorts } from "../recovery-ports.ts";
import { deadOf, maxTickets, pointOf, readTicketStatus, silentForParameter, standingOf } from "./ticket-status.ts";

/** Alerts name a queue; what follows acts on explicit tickets. */
export const findFailurePoint = defineAction({
  name: "find-failure-point",
  summary: "Finds the tickets behind an alert of one queue, and for each where it stopped, why, and how it would go on.",
  parameters: z.strictObject({
    queue: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, "must be the name of one queue")
      .meta({ description: "Name of one queue." }),
    stage: z.string().default("unknown").meta({ description: "Only tickets that stand still in this stage; `unknown` for any." }),
    failure_class: z.string().default("unknown").meta({ description: "Only dead tickets of this class; `unknown` for any." }),
    silent_for: silentForParameter(),
    limit: z.int().min(1).max(maxTickets).default(3).meta({ description: "Tickets that this run takes care of at most, longest first." }),
  }),
  result: {
    found: "tickets that stand still or are dead",
    tickets: "ids of those that this run takes care of",
    points: "where each stopped, why, and what would be decided",
    failure_class: "class of the first one",
    stage: "stage of the first one",
    most_attempts: "the most tries that one of them has had",
    published: "how many of them have published something",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 120_000,
  probes: false,
  undoes: false,
  behave(
    { queue, stage, failure_class: failureClass, silent_for: silentFor, limit },
    { tickets: ports }: { readonly tickets: RecoveryPorts },
  ) {
    return {
      plan: async () => ({
        summary: `Find the tickets of queue ${queue} that stopped`,
        targets: [],
        changes: [],
        reversible: true,
        data: null,
      }),
      async run(_plan, { clock }) {
        const before = clock.now() - millisecondsOf(silentFor);
        // An alert tells a stage or a class; by hand neither need be told. What has no label of its own is `other`.
        const [anyPhase, anyClass] = [stage, failureClass].map((word) => word === "unknown" || word === "other");
        const standing = stage !== "unknown" || failureClass === "unknown" ? await standingOf(ports, queue, before) : [];
        const dead = failureClass !== "unknown" || stage === "unknown" ? await deadOf(ports, queue) : [];
        const ids = [...standing.filter((one) => anyPhase === true || one.stage === stage), ...dead].map(({ id }) => id);
        const statuses = [];
        let matchCount = 0;
        // Every broken or long history costs a look, so that no more than a few times the limit are looked at.
        for (const id of ids.slice(0, limit * 10)) {
          const one = await readTicketStatus(id, before, ports);
          if (
            one.ticket.state === "dead" &&
            anyClass !== true &&
            one.failure.failureClass !== failureClass &&
            one.ticket.reason !== failureClass
          )
            continue;
          // Set aside by an earlier run on purpose: only what a person does brings it on.
          if (one.ticket.state === "dead" && one.decision.kind === "hold") continue;
          matchCount += 1;
          if (statuses.length < limit) statuses.push(one);
        }
        const output: ActionOutput = {
          found: matchCount,
          tickets: statuses.map(({ ticket }) => ticket.id),
          points: statuses.map((one) => pointOf(one)),
          failure_class: statuses[0]?.failure.failureClass ?? "unknown",
          stage: statuses[0]?.ticket.stage ?? "unknown",
          most_attempts: Math.max(0, ...statuses.map(({ ticket }) => ticket.attempt)),
          published: statuses.filter(({ work }) => work.published !== undefined).length,
        };
        return { kind: "done", output };
      },
    };
  },
});
