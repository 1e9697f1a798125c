// A provider on loopback that answers every request with what the call at hand has prepared.
import { createServer } from "node:http";

/** Starts it. `answerWith` sets what comes next: `{ json }`, `{ events }` for a stream of server-sent events, or `{ bytes, type }`. */
export async function startCannedServer() {
  let prepared = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const answer = prepared.length > 1 ? prepared.shift() : prepared[0];
      if (answer === undefined) return response.writeHead(500).end();
      if (answer.json !== undefined) return respond(response, "application/json", JSON.stringify(answer.json));
      if (answer.events !== undefined) return respond(response, "text/event-stream", answer.events.map(eventOf).join(""));
      return respond(response, answer.type, answer.bytes);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    answerWith(...answers) {
      prepared = answers;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function respond(response, type, body) {
  response.writeHead(200, { "content-type": type, "request-id": "req_1" });
  response.end(body);
}

function eventOf(event) {
  if (typeof event === "string") return `data: ${event}\n\n`;
  return `${typeof event.type === "string" ? `event: ${event.type}\n` : ""}data: ${JSON.stringify(event)}\n\n`;
}
