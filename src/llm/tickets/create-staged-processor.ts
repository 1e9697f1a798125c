import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import { isSameRepository, withoutCredentials } from "../../core/canonical-repository.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { Checkpoint, CheckpointRepository } from "./checkpoint.ts";
import type { Implementer, PhaseResult } from "./implementer.ts";
import { nextPhase, parseStagedWork, pointerTo, type StagedWork, storedWork } from "./staged-work.ts";
import type { TicketProcessor, TurnContext, TurnResult } from "./ticket.ts";
import type { TicketPhase } from "./ticket-phase.ts";
import { baseCommitOf, trialOf } from "./trial.ts";

/** What a processor of code work is made of. */
export interface StagedProcessorOptions {
  readonly checkpoints: CheckpointRepository;
  readonly implementer: Implementer;
  /** What a stage costs at most. */
  readonly phaseEstimateMicroUsd: MicroUsd;
  /** Told of each checkpoint that a stage has saved, before anything of it is sent elsewhere. Must return at once and never throw: the ticket goes on. */
  readonly onSaved?: (checkpoint: Checkpoint) => void;
}

/** The stage that a turn is for, and the work that it goes on with. */
interface PhaseOfWork {
  readonly work: StagedWork;
  readonly phase: TicketPhase;
}

/** Nothing is changed between the test and its checkpoint, so that what is saved is what was tested. */
const greenPhases: readonly TicketPhase[] = ["test", "review", "publish"];

/**
 * Works on a ticket in its own workspace, one stage a turn: plan, implement, test, review, publish. After each stage everything is saved as a checkpoint with
 * the conversation, and a stage that is done is not done again, whoever goes on. A workspace that is gone, or a checkpoint that is broken, is replaced by
 * the last whole checkpoint. A failed test or review leads back to `implement` with what was said. A trial ends with its review: it is neither published nor
 * pushed.
 */
export function createStagedProcessor({
  checkpoints,
  implementer,
  phaseEstimateMicroUsd,
  onSaved = () => undefined,
}: StagedProcessorOptions): TicketProcessor {
  async function runPhase(ticket: Ticket, { work, phase }: PhaseOfWork, context: TurnContext): Promise<PhaseResult> {
    const { last, workspace } = await prepare(ticket, work);
    const conversation = last === undefined ? "" : await checkpoints.conversation(last);
    const { attempt, leaseId, signal } = context;
    const task = {
      ticket,
      phase,
      folder: workspace.folder,
      attempt,
      conversation,
      leaseId,
      signal,
      compact: work.compact,
      complaint: work.complaint,
    };
    try {
      return await implementer({ ...task, heartbeat: async () => context.heartbeat(phase) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: "failed", conversation, failureClass: "tool_error", reason, retry: true };
    }
  }

  /** The workspace with the work in it that this stage begins with. */
  async function prepare(ticket: Ticket, work: StagedWork) {
    const base = baseCommitOf(ticket);
    const before = work.fresh ? undefined : await checkpoints.find(ticket.id);
    const workspace = before ?? (await checkpoints.open(ticket.id, work.fresh, base));
    const wanted = work.resume ?? work.done.at(-1);
    const whole = (await checkpoints.list(ticket.id)).flatMap((one) => (one.kind === "whole" ? [one.checkpoint] : []));
    // A broken one is passed over for the one before; a newer one than wanted is not ours to choose.
    const last: Checkpoint | undefined = whole.findLast(({ n }) => n <= (wanted?.n ?? 0));
    const isNew = before === undefined || work.resume !== undefined || last?.n !== wanted?.n;
    if (last !== undefined && isNew) await checkpoints.restore(ticket.id, last.commit, base);
    return { last, workspace };
  }

  /** Why a ticket must not be worked on in this repository; asked before anything is done. */
  async function whyNotHere(ticket: Ticket): Promise<string | undefined> {
    const [repo, base] = [memberOf(ticket, "repo"), memberOf(ticket, "base_sha")];
    if (base !== undefined && baseCommitOf(ticket) === undefined)
      return `Nothing was done: base_sha ${JSON.stringify(base).slice(0, 100)} is no whole commit id of 40 or 64 hexadecimal digits.`;
    if (repo === undefined) return undefined;
    const addresses = await checkpoints.addresses();
    if (typeof repo === "string" && addresses.some((address) => isSameRepository(repo, address))) return undefined;
    const wanted = typeof repo === "string" ? withoutCredentials(repo) : JSON.stringify(repo);
    const present = addresses.map((address) => withoutCredentials(address)).join(", ");
    return `Nothing was done: the ticket belongs to repository ${wanted.slice(0, 300)}, and this worker has ${present}. Start a worker whose RUNBOOKD_TICKET_REPOSITORY is a clone of that repository.`;
  }

  return async (ticket, context): Promise<TurnResult> => {
    const work = parseStagedWork(ticket.saved);
    const isTrial = trialOf(ticket) !== undefined;
    const lastPhase: TicketPhase = isTrial ? "review" : "publish";
    const phase = nextPhase(work);
    if (phase === undefined || (isTrial && phase === "publish")) return { kind: "done", saved: storedWork(work), unused: true };
    const refusal = await whyNotHere(ticket);
    if (refusal !== undefined) {
      const refused = { kind: "failed", saved: ticket.saved, reason: refusal, retry: false, unused: true } as const;
      return { ...refused, failureClass: "unknown", estimateMicroUsd: 0 };
    }
    await context.heartbeat(phase);
    const result = await runPhase(ticket, { work, phase }, context);
    await context.heartbeat(phase);
    const metadata = { conversation: result.conversation, green: result.kind === "done" && greenPhases.includes(phase) };
    const saved = await checkpoints.save(ticket.id, { ...metadata, stage: result.kind === "done" ? phase : "partial" });
    if (saved === undefined) throw new Error(`The workspace of ticket ${ticket.id} vanished while it was worked in.`);
    onSaved(saved);
    const pointer = pointerTo(saved);
    const { unused = false } = result;
    const { resume: _resume, ...withoutResume } = { ...work, fresh: false, compact: false, complaint: "" };
    if (result.kind === "failed") {
      const back = result.failureClass === "test_failure" || phase === "review";
      const done = back ? work.done.filter((one) => one.stage === "plan") : work.done;
      const failed = storedWork({ ...withoutResume, done, resume: pointer, complaint: result.reason.slice(0, 4000) });
      const { reason, retry, failureClass } = result;
      return { kind: "failed", saved: failed, reason, retry, failureClass, unused, estimateMicroUsd: phaseEstimateMicroUsd };
    }
    const published = phase === "publish" ? { published: await checkpoints.publish(ticket.id, `Ticket ${ticket.id}`) } : {};
    if (!isTrial) await checkpoints.push(ticket.id);
    const done = storedWork({ ...withoutResume, ...published, done: [...work.done, { stage: phase, ...pointer }] });
    if (phase === lastPhase) return { kind: "done", saved: done, unused };
    return { kind: "continue", saved: done, unused, estimateMicroUsd: phaseEstimateMicroUsd };
  };
}

/** A member of the ticket's payload; null is none. */
function memberOf({ payload }: Ticket, name: string): Json | undefined {
  return typeof payload === "object" && payload !== null ? (new Map(Object.entries(payload)).get(name) ?? undefined) : undefined;
}
