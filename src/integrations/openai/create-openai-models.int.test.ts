import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createOpenAiModels } from "./create-openai-models.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

it("knows from OpenAI's list which models there are and, where it says so, when they shut down", async () => {
  const data = [
    { id: "gpt-plain", object: "model", created: 1, owned_by: "openai" },
    { id: "gpt-fresh", object: "model", created: 1, owned_by: "openai", shutdown_date: null },
    { id: "gpt-late", object: "model", created: 1, owned_by: "openai", shutdown_date: "2026-12-11" },
    { id: "gpt-odd", object: "model", shutdown_date: "some day" },
    { object: "model" },
  ];
  server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ object: "list", data }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const models = createOpenAiModels({ baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "sk-proj-hidden" }, createFakeClock());
  expect(await models.list(new AbortController().signal)).toEqual({
    models: [
      { model: "gpt-plain", features: {} },
      { model: "gpt-fresh", lifecycle: "active", features: {} },
      { model: "gpt-late", lifecycle: "deprecated", retiresAt: Date.UTC(2026, 11, 11), features: {} },
    ],
    unreadable: ["gpt-odd", "entry 5"],
  });
});
