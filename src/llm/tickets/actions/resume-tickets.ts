import { z } from "zod";
import { jsonSchema } from "../../../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Plan } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { omittedFrom } from "../checkpoint.ts";
import { recoveredWord, workAfter } from "../recover-ticket.ts";
import type { RecoveryPorts } from "../recovery-ports.ts";
import { storedWork } from "../staged-work.ts";
import { hasEnded, recoveryReason, type TicketChange } from "../ticket.ts";
import { readTicketStatus, recoveryLeaseHolder, type TicketStatus, ticketsParameter } from "./ticket-status.ts";

const stepSchema = z.object({
  id: z.string(),
  queue: z.string(),
  decision: z.string(),
  why: z.string(),
  checkpoint: z.int().nullable(),
  /** What that checkpoint does not hold. */
  omitted: z.array(z.string()).default([]),
  /** Try and turn that it goes on from. */
  attempt: z.int(),
  turn: z.int(),
  change: z.object({
    state: z.enum(["queued", "quarantined", "dead"]),
    reason: z.string(),
    attempt: z.int().exactOptional(),
    saved: jsonSchema.exactOptional(),
    failures: z.array(z.string()).exactOptional(),
  }),
});
const dataSchema = z.object({ steps: z.array(stepSchema) });
type Step = z.output<typeof stepSchema>;

/**
 * Gives tickets back to their queue with the work that was decided on. Nothing is permitted that was not before: a ticket keeps its variant, its versions,
 * its budget and its cap, and what it has cost stays counted; so this raises no risk.
 */
export const resumeTickets = defineAction({
  name: "resume-tickets",
  summary:
    "Gives each ticket back to its queue with a new try from its checkpoint, the same variant and what is left of its budget, or sets it aside when the same came again.",
  parameters: z.strictObject({ tickets: ticketsParameter() }),
  result: {
    resumed: "tickets that go on",
    moving: "of these, how many have finished a stage since, or ended well",
    quarantined: "tickets that were set aside",
    held: "tickets that stay dead until a person or another runbook acts",
    tickets: "per ticket what was decided and why, the checkpoint that it goes on from, and what that one could not keep",
  },
  effect: "set",
  risk: "none",
  timeoutMs: 120_000,
  probes: true,
  undoes: false,
  behave({ tickets: ids }, { tickets: ports }: { readonly tickets: RecoveryPorts }) {
    async function readOutput(plan: Plan): Promise<ActionOutput> {
      const { steps } = dataSchema.parse(plan.data);
      const count = (state: Step["change"]["state"]) => steps.filter(({ change }) => change.state === state).length;
      const now = await Promise.all(steps.map(async ({ id }) => ports.store.get(id)));
      const moving = steps.filter(({ change, turn }, index) => {
        const ticket = now[index];
        return (
          change.state === "queued" &&
          ticket !== undefined &&
          (ticket.state === "succeeded" || (ticket.turn > turn && !hasEnded(ticket.state)))
        );
      });
      return {
        resumed: count("queued"),
        moving: moving.length,
        quarantined: count("quarantined"),
        held: count("dead"),
        tickets: steps.map(({ id, decision, why, checkpoint, omitted }) => ({ ticket: id, decision, why, checkpoint, omitted })),
      };
    }

    return {
      async plan({ clock }) {
        const steps = (await Promise.all(ids.map(async (id) => readTicketStatus(id, clock.now(), ports)))).map((one) => stepOf(one));
        return {
          summary: steps
            .map(({ id, decision, checkpoint }) => `${id}: ${decision}${checkpoint === null ? "" : ` ${checkpoint}`}`)
            .join(", "),
          targets: ids.map((id) => `ticket/${id}`),
          changes: steps.map(({ id, change, attempt }) => ({
            target: `ticket/${id}`,
            field: "state",
            before: `waiting, try ${attempt}`,
            after: change.attempt === undefined ? change.state : `${change.state}, try ${change.attempt}`,
          })),
          reversible: false,
          data: { steps },
        };
      },
      async run(plan, { runId }) {
        const holder = recoveryLeaseHolder(runId);
        for (const { id, queue, change } of dataSchema.parse(plan.data).steps) {
          const ticket = await ports.store.get(id);
          // Whoever is not in our hands any more was given back by an earlier time, or taken by a person.
          if (ticket?.state === "waiting" && ticket.reason === recoveryReason)
            await ports.store.write(id, holder, change satisfies TicketChange);
          // A worker takes it up, or tells the gate that it has ended.
          await ports.wakeQueue.enqueue({ id, queue });
        }
        return { kind: "done", output: await readOutput(plan) };
      },
      async probe(plan) {
        const { steps } = dataSchema.parse(plan.data);
        const now = await Promise.all(steps.map(async ({ id }) => ports.store.get(id)));
        const awaitsRecovery = now.some((ticket) => ticket?.state === "waiting" && ticket.reason === recoveryReason);
        return awaitsRecovery ? { kind: "not_applied" } : { kind: "applied", output: await readOutput(plan) };
      },
    };
  },
});

function stepOf({ ticket, decision, failure, work }: TicketStatus): Step {
  const { id, queue, attempt, turn } = ticket;
  const omitted = "from" in decision ? [...omittedFrom(decision.from)] : [];
  const base = { id, queue, omitted, attempt, turn, decision: decision.kind, why: decision.why };
  const reason = `${failure.failureClass}: ${decision.why}`.slice(0, 300);
  if (decision.kind === "quarantine") return { ...base, checkpoint: null, change: { state: "quarantined", reason } };
  if (decision.kind === "hold") return { ...base, checkpoint: null, change: { state: "dead", reason } };
  const saved = storedWork(workAfter(decision, work, failure.failureClass));
  const failures = [...ticket.failures, recoveredWord(failure.failureClass)].slice(-20);
  return {
    ...base,
    checkpoint: decision.kind === "restart" ? null : decision.from.n,
    change: { state: "queued", reason: "", attempt: attempt + 1, saved, failures },
  };
}
