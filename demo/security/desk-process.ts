import { createServer, type IncomingMessage } from "node:http";
import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { createSystemRandom } from "../../src/core/random.ts";
import { endWithStarter, hostSettings, reachSystem } from "../workload/host-process.ts";
import { usageOfResponse } from "../workload/usage-of-response.ts";
import { type DeskTicket, deskInstructions, deskModel, loadDesk } from "./load-desk.ts";

/*
 * One of the processes that serve the application, from the folder of one commit. `POST /export` exports a ticket: 200 with what the customer is shown, 403 while
 * the feature is off for the ticket, 503 when no permission comes. `GET /trial` is answered as an export would be, and does nothing. `GET /version` says what runs.
 */

const settings = z
  .object({
    ...hostSettings,
    DESK_RELEASE: z.string(),
    DESK_SHA: z.string(),
    DESK_PORT: z.coerce.number(),
    DESK_FLAG: z.string(),
    DESK_BUDGET: z.string(),
    DESK_MODEL: z.string(),
    DESK_HONEYTOKEN: z.string(),
    /** Address that customers' reports go to. */
    DESK_REPORTS: z.string(),
    DESK_REFRESH_MS: z.coerce.number(),
  })
  .parse(process.env);

/** What an export may cost at most. */
const estimateMicroUsd = 10_000;

const clock = createSystemClock();
const ending = new AbortController();
const instance = createSystemRandom().uuid();
const { client, model } = reachSystem(settings, { flagRefreshEveryMs: settings.DESK_REFRESH_MS, instance });
const exportTicket = await loadDesk(settings.DESK_RELEASE);
const wantedSchema = z.object({ id: z.string(), title: z.string(), body: z.string() });

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A ticket that the feature is off for is handled by people: for the application that is a success, too. */
async function serve({ id: ticketId, title, body }: z.output<typeof wantedSchema>): Promise<Answer> {
  const isOn = await client.flags.enabled(settings.DESK_FLAG, { ticketId });
  const budget = settings.DESK_BUDGET;
  const admission = await client.admit({ ticketId, budget, estimateMicroUsd });
  if (admission.kind !== "admitted") return { status: isOn ? 503 : 403, body: { message: "Not now." } };
  let outcome: "succeeded" | "failed" = "failed";
  try {
    const answer = isOn ? await exportOf(ticketId, { title, body, customer: { name: "Acme", reports: settings.DESK_REPORTS } }) : undefined;
    outcome = "succeeded";
    return answer === undefined ? { status: 403, body: { message: "A person will export it." } } : { status: 200, body: { answer } };
  } finally {
    await client.release({ ticketId, budget, outcome });
  }
}

async function exportOf(ticketId: string, ticket: DeskTicket): Promise<string> {
  const asked = { user: ticketId, modelName: settings.DESK_MODEL, signal: ending.signal };
  const { answer } = await exportTicket(ticket, {
    instructions: deskInstructions(settings.DESK_HONEYTOKEN),
    ask: deskModel(model, asked, (response) =>
      client.reportUsage({
        ...usageOfResponse(response, settings.DESK_MODEL, clock.now()),
        operation: "export",
        prompt: "export",
        budget: settings.DESK_BUDGET,
        ticketId,
        turn: 0,
      }),
    ),
    async post(url, text) {
      const response = await fetch(url, { method: "POST", body: text, signal: AbortSignal.timeout(5000) });
      await response.arrayBuffer();
    },
  });
  return answer;
}

async function answerTo(request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? "/", "http://desk.invalid");
  if (request.method === "GET" && pathname === "/version")
    return { status: 200, body: { sha: settings.DESK_SHA, instance, pid: process.pid } };
  if (request.method === "GET" && pathname === "/trial") {
    const isOn = await client.flags.enabled(settings.DESK_FLAG, { ticketId: "trial" });
    return { status: isOn ? 200 : 403, body: {} };
  }
  if (request.method !== "POST" || pathname !== "/export") return { status: 404, body: {} };
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const wanted = wantedSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  return wanted.success ? serve(wanted.data) : { status: 400, body: {} };
}

const server = createServer((request, response) => {
  const write = ({ status, body }: Answer) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  answerTo(request).then(write, (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    write({ status: 500, body: {} });
  });
});

// Served only when the flag was read once, so that the process counts as a follower before its first request.
await client.flags.follow([settings.DESK_FLAG]);
server.listen(settings.DESK_PORT, "127.0.0.1");

endWithStarter(async () => {
  ending.abort(new Error("The process ends."));
  server.close();
  server.closeAllConnections();
  await client.close();
});
