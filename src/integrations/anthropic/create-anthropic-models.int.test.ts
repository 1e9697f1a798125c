import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createAnthropicModels } from "./create-anthropic-models.ts";

const never = new AbortController().signal;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(pages: readonly unknown[], status = 200) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const page = pages[asked.length];
    asked.push(request.url ?? "");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(page));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const models = createAnthropicModels({ baseUrl: `http://127.0.0.1:${port}`, apiKey: "sk-ant-hidden" }, createFakeClock());
  return { models, asked };
}

const yes = { supported: true };
const no = { supported: false };
const anEntry = {
  type: "model",
  id: "claude-old",
  lifecycle: "deprecated",
  deprecated_at: "2026-04-14T00:00:00Z",
  retires_at: "2026-12-20T00:00:00Z",
  max_input_tokens: 200_000,
  max_tokens: 64_000,
  capabilities: { batch: yes, thinking: no, image_input: yes, pdf_input: yes, structured_outputs: no, citations: yes },
};

describe("Anthropic's list of models", () => {
  it("is read page by page, with retired models, their dates and what each can", async () => {
    const bare = { type: "model", id: "claude-new", lifecycle: "active", deprecated_at: null, retires_at: null, capabilities: null };
    const { models, asked } = await serve([
      { data: [anEntry], has_more: true, first_id: "claude-old", last_id: "claude-old" },
      { data: [{ ...bare, max_tokens: null }], has_more: false, first_id: "claude-new", last_id: "claude-new" },
    ]);
    expect(await models.list(never)).toEqual({
      models: [
        {
          model: "claude-old",
          lifecycle: "deprecated",
          deprecatedAt: Date.UTC(2026, 3, 14),
          retiresAt: Date.UTC(2026, 11, 20),
          contextTokens: 200_000,
          outputTokens: 64_000,
          features: { tools: true, caching: true, batch: true, thinking: false, images: true, documents: true, structured_outputs: false },
        },
        { model: "claude-new", lifecycle: "active", features: { tools: true, caching: true } },
      ],
      unreadable: [],
    });
    expect(asked.map((url) => decodeURIComponent(url))).toEqual([
      expect.stringMatching(/^\/v1\/models\?.*lifecycle(\[\])?=.*retired/),
      expect.stringContaining("after_id=claude-old"),
    ]);
  });

  it("loses no model to another one that cannot be read", async () => {
    const odd = [
      { ...anEntry, id: "odd-stage", lifecycle: "sunset" },
      { ...anEntry, id: "odd-date", retires_at: "soon" },
      { type: "model" },
      null,
    ];
    const { models } = await serve([{ data: [...odd, anEntry], has_more: false }]);
    const { models: read, unreadable } = await models.list(never);
    expect(read.map(({ model }) => model)).toEqual(["claude-old"]);
    expect(unreadable).toEqual(["odd-stage", "odd-date", "entry 3", "entry 4"]);
  });

  it("tells a refusal without the key", async () => {
    const { models } = await serve([{ type: "error", error: { type: "authentication_error", message: "sk-ant-hidden is wrong" } }], 401);
    await expect(models.list(never)).rejects.toThrow(/^anthropic answered 401 \(authentication_error\)$/);
  });
});
