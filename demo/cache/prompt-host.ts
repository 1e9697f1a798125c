import { appendFileSync } from "node:fs";
import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { endWithStarter, hostSettings, reachSystem } from "../workload/host-process.ts";
import { createEvaluator } from "./golden-tickets.ts";
import { createPromptApplication } from "./prompt-application.ts";

/*
 * The process that hosts the demo's application: so many tickets at once, one after another, and an evaluator on a port of its own.
 * It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    ...hostSettings,
    DEMO_EVIDENCE: z.string(),
    DEMO_BUDGET: z.string(),
    DEMO_CONCURRENCY: z.coerce.number(),
    DEMO_PAUSE_MS: z.coerce.number(),
    DEMO_EVALUATOR_PORT: z.coerce.number(),
    DEMO_PROMPTS_EVERY_MS: z.coerce.number(),
  })
  .parse(process.env);

const clock = createSystemClock();
const ending = new AbortController();
const { client, model } = reachSystem(settings, { refreshEveryMs: settings.DEMO_PROMPTS_EVERY_MS });
const application = createPromptApplication({
  client,
  model,
  budget: settings.DEMO_BUDGET,
  now: () => clock.now(),
});

let tickets = 0;
const work = async (): Promise<void> => {
  while (!ending.signal.aborted) {
    tickets += 1;
    const ticketId = `TICKET-${tickets}`;
    const beganAt = clock.now();
    try {
      const { version, variant, answers } = await application.work(ticketId, ending.signal);
      const entry = { kind: "ticket_worked", at: clock.now(), beganAt, ticketId, version, variant, ok: answers !== undefined };
      appendFileSync(settings.DEMO_EVIDENCE, `${JSON.stringify(entry)}\n`);
      await clock.sleep(settings.DEMO_PAUSE_MS, ending.signal);
    } catch (error) {
      if (ending.signal.aborted) return;
      console.error(`${ticketId}: ${error instanceof Error ? error.message : String(error)}`);
      await clock.sleep(1000, ending.signal).catch(() => undefined);
    }
  }
};

const evaluator = createEvaluator(application, ending.signal);
evaluator.listen(settings.DEMO_EVALUATOR_PORT, "127.0.0.1");
const workers = Array.from({ length: settings.DEMO_CONCURRENCY }, work);

endWithStarter(async () => {
  ending.abort(new Error("The demo ends."));
  evaluator.closeAllConnections();
  evaluator.close();
  await Promise.allSettled(workers);
  await client.close();
});
