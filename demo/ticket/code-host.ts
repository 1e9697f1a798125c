import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { createGitCheckpoints } from "../../src/integrations/git/create-git-checkpoints.ts";
import { createStagedProcessor } from "../../src/llm/tickets/create-staged-processor.ts";
import { hostTickets, ticketSettings } from "../host-tickets.ts";
import { assignments } from "../workload/assignments.ts";
import { createEvidenceLog } from "../workload/evidence-log.ts";
import { reachSystem } from "../workload/host-process.ts";
import { usageOfResponse } from "../workload/usage-of-response.ts";
import { createCodeImplementer } from "./code-implementer.ts";

/*
 * A process of the application in the ticket scenario: a ticket worker whose tickets are code work in a repository.
 * It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    ...ticketSettings,
    PATH: z.string(),
    DEMO_GIT: z.string(),
    DEMO_REPOSITORY: z.string(),
    DEMO_WORKTREES: z.string(),
    DEMO_EVIDENCE: z.string(),
  })
  .parse(process.env);

const [{ model: modelName } = { model: "" }] = assignments;
const clock = createSystemClock();
const { client, model } = reachSystem(settings);

const processor = createStagedProcessor({
  checkpoints: createGitCheckpoints({
    git: settings.DEMO_GIT,
    environment: { PATH: settings.PATH },
    repository: settings.DEMO_REPOSITORY,
    worktrees: settings.DEMO_WORKTREES,
    protocols: ["file"],
  }),
  phaseEstimateMicroUsd: 200_000,
  implementer: createCodeImplementer({
    model,
    modelName,
    evidence: createEvidenceLog(settings.DEMO_EVIDENCE),
    now: () => clock.now(),
    report({ ticket, phase, attempt, leaseId }, response) {
      const { budget, queue, id: ticketId, turn } = ticket;
      client.reportUsage({
        ...usageOfResponse(response, modelName, clock.now()),
        operation: phase,
        prompt: phase,
        budget,
        queue,
        ticketId,
        leaseId,
        attempt,
        turn,
      });
    },
  }),
});

hostTickets({
  settings,
  client,
  processor,
  concurrency: 1,
  lockMs: 1500,
  stalledCheckMs: 500,
  logLevel: "info",
});
