import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { millisecondsOf } from "../../../actions/parameter-types.ts";
import type { ActionContext } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { omittedFrom } from "../checkpoint.ts";
import type { RecoveryPorts } from "../recovery-ports.ts";
import { recoveryReason } from "../ticket.ts";
import { readTicketStatus, recoveryLeaseHolder, requireCheckpoints, silentForParameter, ticketsParameter } from "./ticket-status.ts";

/** First of all: nothing that was done is lost, whatever is decided afterwards. */
export const preserveWork = defineAction({
  name: "preserve-work",
  summary: "Takes tickets from whoever had them and saves their unfinished work as checkpoints, which are read back and sent away.",
  parameters: z.strictObject({ tickets: ticketsParameter(), silent_for: silentForParameter() }),
  result: {
    tickets: "ids of the tickets that are held now",
    preserved: "of these, how many had a workspace whose work is a checkpoint now",
    checkpoints: "ref and tree hash of each",
    omitted: "per ticket what its workspace holds and no checkpoint can keep; its worktree is not removed",
    broken: "checkpoints that are not what their hash says; they are kept",
    sent: "how many were sent to where the repository is kept",
    skipped: "ids of those that somebody works on again",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 600_000,
  probes: true,
  undoes: false,
  behave({ tickets: ids, silent_for: silentFor }, { tickets: ports }: { readonly tickets: RecoveryPorts }) {
    async function preserve(context: ActionContext): Promise<ActionOutput> {
      const checkpoints = requireCheckpoints(ports);
      const holder = recoveryLeaseHolder(context.runId);
      const before = context.clock.now() - millisecondsOf(silentFor);
      const [claimedIds, skipped]: [string[], string[]] = [[], []];
      const saved: { ticket: string; ref: string; tree: string; commit: string }[] = [];
      const omitted: { ticket: string; paths: readonly string[] }[] = [];
      let [broken, sent] = [0, 0];
      for (const id of ids) {
        const { ticket, failure, needsRecovery } = await readTicketStatus(id, before, ports);
        if (!needsRecovery || (await ports.store.recover(id, holder)) === undefined) {
          skipped.push(id);
          continue;
        }
        const isNew = ticket.reason !== recoveryReason && ticket.failures.at(-1) !== failure.failureClass;
        if (isNew) await ports.store.write(id, holder, { failures: [...ticket.failures, failure.failureClass] });
        claimedIds.push(id);
        const whole = (await checkpoints.list(id)).findLast((one) => one.kind === "whole");
        const conversation = whole?.kind === "whole" ? await checkpoints.conversation(whole.checkpoint) : "";
        const made = await checkpoints.save(id, { stage: "partial", green: false, conversation });
        if (made !== undefined) saved.push({ ticket: id, ref: made.ref, tree: made.tree, commit: made.commit });
        if (made?.omitted !== undefined) omitted.push({ ticket: id, paths: omittedFrom(made) });
        broken += (await checkpoints.list(id)).filter(({ kind }) => kind === "broken").length;
        if (await checkpoints.push(id).catch(() => false)) sent += 1;
      }
      return { tickets: claimedIds, preserved: saved.length, checkpoints: saved, omitted, broken, sent, skipped };
    }

    return {
      async plan({ clock }) {
        const before = clock.now() - millisecondsOf(silentFor);
        const statuses = await Promise.all(ids.map(async (id) => readTicketStatus(id, before, ports)));
        return {
          summary: `Take ${ids.join(", ")} from whoever had ${ids.length === 1 ? "it" : "them"}, and save the work as checkpoints`,
          targets: ids.map((id) => `ticket/${id}`),
          changes: statuses.map(({ ticket }) => ({
            target: `ticket/${ticket.id}`,
            field: "state",
            before: ticket.reason === "" ? ticket.state : `${ticket.state} (${ticket.reason})`.slice(0, 200),
            after: `waiting (${recoveryReason})`,
          })),
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context) {
        const output = await preserve(context).catch((error: unknown) => {
          if (error instanceof StepFailure) throw error;
          const message = `The work could not be saved: ${error instanceof Error ? error.message : String(error)}`.slice(0, 500);
          throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
        });
        return { kind: "done", output };
      },
      // Saving the same work again answers the same checkpoint, so that a look is a second time.
      probe: async (_plan, context) => ({ kind: "applied", output: await preserve(context) }),
    };
  },
});
