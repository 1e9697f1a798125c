import { describe, expect, it } from "@jest/globals";
import { createDiagnosticsLog } from "./cache-diagnostics.ts";
import { findModel, servedModels } from "./model-catalogue.ts";
import { promptBlocks } from "./prompt-blocks.ts";

const [first] = servedModels;
const model = findModel("claude-sonnet-4-5") ?? first;

function request(tool: string, system: string, ...messages: string[]) {
  if (model === undefined) throw new Error("There is no model.");
  const body = {
    model: model.id,
    tools: [{ name: tool }],
    system,
    messages: messages.map((content) => ({ role: "user" as const, content })),
  };
  const reply = promptBlocks(body, model);
  if (!reply.ok) throw new Error(reply.message);
  return { model: model.id, blocks: reply.blocks };
}

describe("diagnostics of the cache", () => {
  it("say nothing about a first request and one that goes on where the one before ended", () => {
    const desk = createDiagnosticsLog();
    desk.remember("msg_1", request("read", "rules", "one"));
    expect(desk.compare(null, request("read", "rules", "one"))).toBeNull();
    expect(desk.compare("msg_1", request("read", "rules", "one", "two"))).toBeNull();
  });

  it.each([
    ["tools_changed", request("edit", "rules", "one")],
    ["system_changed", request("read", "other rules", "one")],
    ["messages_changed", request("read", "rules", "another")],
    ["model_changed", { ...request("read", "rules", "one"), model: "other" }],
  ])("name %s as what comes first, with the tokens behind it", (type, next) => {
    const desk = createDiagnosticsLog();
    desk.remember("msg_1", request("read", "rules", "one"));
    expect(desk.compare("msg_1", next)).toMatchObject({ cache_miss_reason: { type, cache_missed_input_tokens: expect.any(Number) } });
  });

  it("do not know a message that nobody got", () => {
    expect(createDiagnosticsLog().compare("msg_x", request("read", "rules", "one"))).toEqual({
      cache_miss_reason: { type: "previous_message_not_found", cache_missed_input_tokens: null },
    });
  });
});
