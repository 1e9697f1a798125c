import { z } from "zod";
import { createGitCheckpoints } from "../../adapters/git/create-git-checkpoints.ts";
import { createSystemClock } from "../../core/clock.ts";
import { connectRedis } from "../../redis/connection.ts";
import { createTicketStore } from "../../redis/workload-tickets.ts";
import { createRunbookdClient } from "../../sdk/client.ts";
import { createStagedProcessor } from "../../workload/create-staged-processor.ts";
import { startTicketWorker } from "../../../workers/ticket.ts";
import { assignments } from "../workload/assignments.ts";
import { createEvidenceLog } from "../workload/evidence-log.ts";
import { createModelClient } from "../workload/model-client.ts";
import { createCodeImplementer } from "./code-implementer.ts";

/*
 * A process of the application in the ticket scenario: a ticket worker whose tickets are code work in a repository.
 * It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    REDIS_URL: z.string(),
    RUNBOOKD_URL: z.string(),
    RUNBOOKD_TOKEN: z.string(),
    MODEL_URL: z.string(),
    PATH: z.string(),
    DEMO_GIT: z.string(),
    DEMO_REPOSITORY: z.string(),
    DEMO_WORKTREES: z.string(),
    DEMO_EVIDENCE: z.string(),
    DEMO_QUEUE: z.string(),
  })
  .parse(process.env);

const [{ model: modelName } = { model: "" }] = assignments;
const clock = createSystemClock();
const drain = new AbortController();
const abort = new AbortController();
const client = createRunbookdClient({
  url: settings.RUNBOOKD_URL,
  token: settings.RUNBOOKD_TOKEN,
  onUsageLost: ({ reports, why }) => console.error(`${reports.length} usage reports were lost: ${why}`),
});

const processor = createStagedProcessor({
  checkpoints: createGitCheckpoints({
    git: settings.DEMO_GIT,
    environment: { PATH: settings.PATH },
    repository: settings.DEMO_REPOSITORY,
    worktrees: settings.DEMO_WORKTREES,
    protocols: ["file"],
  }),
  stageEstimateMicroUsd: 200_000,
  implementer: createCodeImplementer({
    model: createModelClient(settings.MODEL_URL, "sk-ant-api03-demo"),
    modelName,
    evidence: createEvidenceLog(settings.DEMO_EVIDENCE),
    now: () => clock.now(),
    report({ ticket, stage, attempt, leaseId }, reply) {
      const { budget, queue, id: ticketId, turn } = ticket;
      client.reportUsage({
        id: reply.requestId,
        at: clock.now(),
        provider: "anthropic",
        model: reply.kind === "answer" ? reply.model : modelName,
        operation: stage,
        prompt: stage,
        budget,
        queue,
        ticketId,
        leaseId,
        attempt,
        turn,
        latencyMs: reply.latencyMs,
        ...(reply.kind === "answer"
          ? { usage: reply.usage, shape: "anthropic-messages" as const, outcome: "ok" as const }
          : { outcome: reply.outcome, error: reply.message.slice(0, 200) }),
      });
    },
  }),
});

const redis = connectRedis({ url: settings.REDIS_URL }, "worker");
const worker = startTicketWorker(
  { store: createTicketStore({ redis, clock }), gate: client, processor, clock },
  {
    redis,
    queue: settings.DEMO_QUEUE,
    concurrency: 1,
    drain: drain.signal,
    abort: abort.signal,
    lockMs: 1500,
    stalledCheckMs: 500,
    log: {
      worked: (ticketId, step) => console.error(`${ticketId}: ${JSON.stringify(step)}`),
      failed: (ticketId, error) => console.error(`${ticketId}: ${error instanceof Error ? error.message : String(error)}`),
      queueError: (error) => console.error(`queue: ${error.message}`),
    },
  },
);

const end = async () => {
  drain.abort(new Error("The demo ends."));
  abort.abort(new Error("The demo ends."));
  await worker.close();
  await client.close();
  redis.disconnect();
};
let ending: Promise<void> | undefined;
const endOnce = () => {
  ending ??= end().finally(() => process.exit());
};
process.on("disconnect", endOnce);
process.on("SIGTERM", endOnce);
process.on("SIGINT", endOnce);
