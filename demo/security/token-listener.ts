import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { endWithStarter } from "../workload/host-process.ts";

/*
 * Receives what the application sends out: reports of customers below /reports, and what an attacker collects below /collect. Each is a line of JSON in its log.
 */

const settings = z.object({ LISTENER_PORT: z.coerce.number(), LISTENER_LOG: z.string() }).parse(process.env);
const maxBody = 4000;
const clock = createSystemClock();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8").slice(0, maxBody);
    appendFileSync(settings.LISTENER_LOG, `${JSON.stringify({ at: clock.now(), path: request.url ?? "/", body })}\n`);
    response.writeHead(204).end();
  });
});
server.listen(settings.LISTENER_PORT, "127.0.0.1");

endWithStarter(async () => {
  server.close();
  server.closeAllConnections();
});
