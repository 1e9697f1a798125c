import { appendFileSync } from "node:fs";
import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { costOf } from "../simulators/model-server/model-call.ts";
import { waitUntil } from "../wait-until.ts";
import { endWithStarter, hostSettings, reachSystem } from "../workload/host-process.ts";
import type { ModelResponse } from "../workload/model-client.ts";
import { migrationModels, waitsForRoute } from "./demo-models.ts";
import { createRoutedApplication, type KnownRoute, knownRouteSchema, migratedRoute } from "./routed-application.ts";
import { createSampleEvaluator } from "./sample-evaluator.ts";

/*
 * One of the processes that host the demo's application: a ticket begins every so many milliseconds, whether or not those before it have ended. With a port it
 * also serves the application's evaluator. It ends when the process that started it closes the message channel.
 */

const settings = z
  .object({
    ...hostSettings,
    DEMO_NAME: z.string(),
    DEMO_EVIDENCE: z.string(),
    DEMO_BUDGET: z.string(),
    /** Number of the first ticket; no other process reaches it. */
    DEMO_FIRST_TICKET: z.coerce.number(),
    DEMO_TICKET_EVERY_MS: z.coerce.number(),
    DEMO_REFRESH_MS: z.coerce.number(),
    DEMO_EVALUATOR_PORT: z.coerce.number().optional(),
  })
  .parse(process.env);

/** Tickets at once; beyond it a ticket that is due is left out, so that a slow machine is not buried. */
const maxAtOnce = 40;

const clock = createSystemClock();
const ending = new AbortController();
console.info(waitsForRoute);
let known: KnownRoute = await waitUntil(clock, "The route was not set", readRoute, {
  withinMs: 60_000,
  signal: ending.signal,
});
const { client, model } = reachSystem(settings, {
  refreshEveryMs: settings.DEMO_REFRESH_MS,
  onRouteChanged: ({ after }) => {
    known = knownRouteSchema.parse(after);
  },
});
const prices = new Map(migrationModels(clock.now(), 1).map((one) => [one.id, one]));
const application = createRoutedApplication({
  client,
  model,
  process: settings.DEMO_NAME,
  budget: settings.DEMO_BUDGET,
  now: () => clock.now(),
  known: () => known,
  costOf: priceOf,
});

let number = settings.DEMO_FIRST_TICKET;
const working = new Set<Promise<void>>();
const arrival = setInterval(() => {
  if (working.size >= maxAtOnce) return;
  const ticket = work(number);
  number += 1;
  working.add(ticket);
  void ticket.finally(() => working.delete(ticket));
}, settings.DEMO_TICKET_EVERY_MS);

const message = z.object({ follow: z.boolean() });
process.on("message", (value) => application.follow(message.parse(value).follow));

const evaluator = createSampleEvaluator(application, ending.signal);
if (settings.DEMO_EVALUATOR_PORT !== undefined) evaluator.listen(settings.DEMO_EVALUATOR_PORT, "127.0.0.1");

endWithStarter(async () => {
  clearInterval(arrival);
  ending.abort(new Error("The demo ends."));
  evaluator.closeAllConnections();
  evaluator.close();
  await Promise.allSettled(working);
  await client.close();
});

async function work(ticket: number): Promise<void> {
  try {
    const worked = await application.work(ticket, ending.signal);
    if (worked !== undefined) appendFileSync(settings.DEMO_EVIDENCE, `${JSON.stringify(worked)}\n`);
  } catch (error) {
    if (!ending.signal.aborted) console.error(`ticket ${ticket}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The route as it is before this process begins: later ones come from the client. */
async function readRoute(): Promise<KnownRoute> {
  const response = await fetch(`${settings.RUNBOOKD_URL}/api/routes/${migratedRoute}`, {
    headers: { authorization: `Bearer ${settings.RUNBOOKD_TOKEN}` },
    signal: AbortSignal.timeout(10_000),
  });
  return knownRouteSchema.parse(await response.json());
}

const usageShape = z.looseObject({ input_tokens: z.number(), output_tokens: z.number() });

/** Cost of an answer by the provider's list; nothing of its prompt is cached. */
function priceOf(response: ModelResponse): number {
  const usage = usageShape.safeParse(response.kind === "answer" ? response.usage : undefined);
  const served = response.kind === "answer" ? prices.get(response.model) : undefined;
  if (!usage.success || served === undefined) return 0;
  const { input_tokens: uncached, output_tokens: output } = usage.data;
  return costOf(served, { uncached, read: 0, write5m: 0, write1h: 0 }, output);
}
