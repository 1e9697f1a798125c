import { openChangeInspector } from "../src/app/open-secret-detector.ts";
import { openCheckpoints, openCommands } from "../src/app/open-work.ts";
import { createWorkloadSink } from "../src/app/product-event.ts";
import type { Runtime } from "../src/app/runtime.ts";
import { createCommandImplementer } from "../src/integrations/command/create-command-implementer.ts";
import { dividedTimes } from "../src/llm/budgets/budget-ledger.ts";
import { createLocalGate } from "../src/llm/budgets/local-gate.ts";
import { createStagedProcessor } from "../src/llm/tickets/create-staged-processor.ts";
import { startTicketWorker } from "../src/llm/tickets/jobs.ts";
import { createFastPath } from "../src/llm/tickets/redis-fast-path.ts";
import { createQueueRecovery } from "../src/llm/tickets/redis-queue-recovery.ts";

/** What is worked on, and with what. */
export interface TicketWork {
  readonly queue: string;
  /** Name of a registered command. */
  readonly command: string;
  readonly concurrency: number;
  /** What a stage costs at most. */
  readonly phaseMicroUsd: number;
}

/** Where BullMQ looks for lost tickets does not matter to us: their worker's silence does. */
const closeMs = 2000;

/** Starts a worker for tickets that are code work, with a command as their implementer. Throws with what to set when something is missing. */
export function startTicketWork(runtime: Runtime, { queue, command, concurrency, phaseMicroUsd }: TicketWork): void {
  const { config, clock, log, closers, ending } = runtime;
  const checkpoints = openCheckpoints(runtime);
  if (checkpoints === undefined)
    throw new Error("RUNBOOKD_TICKET_REPOSITORY must name the repository that tickets work in, and git must be on PATH.");
  const template = config.commands.find(({ name }) => name === command);
  if (template === undefined) {
    const commandNames = config.commands.map(({ name }) => name).join(", ");
    throw new Error(`There is no registered command ${command}; accepted: ${commandNames === "" ? "none is registered" : commandNames}.`);
  }
  const inspector = openChangeInspector(runtime, checkpoints);
  const abort = new AbortController();
  const publish = createWorkloadSink(runtime);
  const redis = runtime.connect("worker");
  const worker = startTicketWorker(
    {
      store: runtime.tickets,
      gate: createLocalGate({ ledger: runtime.ledger, publish }),
      fastPath: createFastPath({ redis, clock, times: dividedTimes(config.timeFactor), publish }),
      processor: createStagedProcessor({
        checkpoints,
        phaseEstimateMicroUsd: phaseMicroUsd,
        onSaved: (checkpoint) => inspector.inspect(checkpoint),
        implementer: createCommandImplementer({ commands: openCommands(runtime), template, clock }),
      }),
      clock,
    },
    {
      redis,
      queue,
      recovery: createQueueRecovery({ redis, tickets: runtime.tickets, enqueuer: runtime.ticketQueue, clock, random: runtime.random }),
      concurrency,
      drain: ending.signal,
      abort: abort.signal,
      log,
      store: runtime.claims,
    },
  );
  closers.add("ticket worker", async () => worker.close(), config.graceMs - closeMs);
  // The commands that run are told to end first: their work is kept as it lies.
  closers.add("ticket commands", () => abort.abort(new Error("The worker is shutting down.")));
}
