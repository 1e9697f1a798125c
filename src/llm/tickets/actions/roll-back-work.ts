import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { omittedFrom } from "../checkpoint.ts";
import type { RecoveryPorts } from "../recovery-ports.ts";
import { readTicketStatus, requireCheckpoints, type TicketStatus, ticketsParameter } from "./ticket-status.ts";

const stepSchema = z.object({
  id: z.string(),
  commit: z.string().optional(),
  n: z.int().optional(),
  published: z.string().optional(),
  /** What the checkpoint that it goes back to does not hold. */
  omitted: z.array(z.string()).optional(),
});
const dataSchema = z.object({ steps: z.array(stepSchema) });

/** Undoes what must not be gone on from: in the workspace, and where it was published. */
export const rollBackWork = defineAction({
  name: "roll-back-work",
  summary:
    "Makes the workspace of each ticket whose tests got worse, or that is in conflict, its last good checkpoint, and takes back what it published; nothing is rewritten.",
  parameters: z.strictObject({ tickets: ticketsParameter() }),
  result: {
    rolled_back: "tickets whose workspace is at its last good checkpoint now",
    kept: "tickets that go on with the work they have",
    omitted: "per ticket what was in its workspace when that checkpoint was saved, and is not in it",
    withdrawn: "what became of everything that was published",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 600_000,
  probes: true,
  undoes: false,
  behave({ tickets: ids }, { tickets: ports }: { readonly tickets: RecoveryPorts }) {
    async function rollBack(steps: z.output<typeof dataSchema>["steps"]): Promise<ActionOutput> {
      const checkpoints = requireCheckpoints(ports);
      const withdrawn: { ticket: string; what: string }[] = [];
      for (const { id, commit, published } of steps) {
        if (commit !== undefined && (await checkpoints.find(id)) !== undefined) await checkpoints.restore(id, commit);
        if (published === undefined) continue;
        const done = await checkpoints.withdraw(id, published);
        if (done.kind === "moved")
          throw new StepFailure({
            reason: "refused_by_target",
            message: `What ticket ${id} published is not taken back, because others built on it: ${done.detail}.`,
            applied: "no",
          });
        withdrawn.push({ ticket: id, what: done.kind === "reverted" ? `reverted by branch ${done.branch}` : done.kind });
      }
      const back = steps.filter(({ commit }) => commit !== undefined).length;
      const omitted = steps.flatMap(({ id, omitted: paths = [] }) => (paths.length === 0 ? [] : [{ ticket: id, paths }]));
      return { rolled_back: back, kept: ids.length - back, omitted, withdrawn };
    }

    return {
      async plan({ clock }) {
        const statuses = await Promise.all(ids.map(async (id) => readTicketStatus(id, clock.now(), ports)));
        const steps = statuses.map((one) => stepOf(one));
        const back = steps.filter(({ commit, published }) => commit !== undefined || published !== undefined);
        return {
          summary: back.length === 0 ? "Nothing has to be rolled back" : `Roll back ${back.map(({ id }) => id).join(", ")}`,
          targets: ids.map((id) => `ticket/${id}`),
          changes: steps.flatMap(({ id, n, published }) => [
            ...(n === undefined ? [] : [{ target: `ticket/${id}`, field: "work", before: "as preserved", after: `checkpoint ${n}` }]),
            ...(published === undefined ? [] : [{ target: `ticket/${id}`, field: "published", before: published, after: null }]),
          ]),
          reversible: true,
          data: { steps },
        };
      },
      run: async (plan) => ({ kind: "done", output: await rollBack(dataSchema.parse(plan.data).steps) }),
      // A second time finds everything as it should be.
      probe: async (plan) => ({ kind: "applied", output: await rollBack(dataSchema.parse(plan.data).steps) }),
    };
  },
});

function stepOf({ ticket, decision, work }: TicketStatus) {
  const goesBack = decision.kind === "roll_back" || decision.kind === "restart" || decision.kind === "quarantine";
  return {
    id: ticket.id,
    ...(decision.kind === "roll_back" && { commit: decision.from.commit, n: decision.from.n, omitted: [...omittedFrom(decision.from)] }),
    ...(goesBack && work.published !== undefined && { published: work.published }),
  };
}
