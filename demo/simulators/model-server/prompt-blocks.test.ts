import { describe, expect, it } from "@jest/globals";
import type { PromptBody } from "./messages-body.ts";
import { findModel, type ServedModel } from "./model-catalogue.ts";
import { type PromptBlock, promptBlocks } from "./prompt-blocks.ts";

const sonnet = modelOf("claude-sonnet-4-5");
const haiku = modelOf("claude-haiku-4-5");
const mark = { type: "ephemeral" } as const;

function modelOf(id: string): ServedModel {
  const model = findModel(id);
  if (model === undefined) throw new Error(`No model ${id}.`);
  return model;
}

function blocksOf(body: Partial<PromptBody>, model = sonnet): readonly PromptBlock[] {
  const reply = promptBlocks({ model: model.id, messages: [{ role: "user", content: "hello" }], ...body }, model);
  if (!reply.ok) throw new Error(reply.message);
  return reply.blocks;
}
const last = (blocks: readonly PromptBlock[]) => blocks.at(-1)?.prefixHash;

describe("a prompt's blocks", () => {
  it("come in the order tools, system, messages", () => {
    const blocks = blocksOf({ tools: [{ name: "search" }], system: "be short" });
    expect(blocks.map(({ path }) => path)).toEqual(["tools.0", "system", "messages.0.content"]);
  });

  it("have the same prefix whether or not they carry a breakpoint, so that a moved marker still hits", () => {
    const marked = blocksOf({ system: [{ type: "text", text: "be short", cache_control: mark }] });
    const plain = blocksOf({ system: [{ type: "text", text: "be short" }] });
    expect(marked[0]?.prefixHash).toBe(plain[0]?.prefixHash);
    expect(marked[0]?.breakpoint).toBe("5m");
  });

  it("break everything behind a changed tool, and nothing before the messages when only tool_choice changes", () => {
    const one = blocksOf({ tools: [{ name: "search" }], system: "s" });
    const otherTool = blocksOf({ tools: [{ name: "find" }], system: "s" });
    expect(otherTool[1]?.prefixHash).not.toBe(one[1]?.prefixHash);
    const otherChoice = blocksOf({ tools: [{ name: "search" }], system: "s", tool_choice: { type: "any" } });
    expect(otherChoice[1]?.prefixHash).toBe(one[1]?.prefixHash);
    expect(last(otherChoice)).not.toBe(last(one));
  });

  it("differ between models", () => {
    expect(last(blocksOf({}, haiku))).not.toBe(last(blocksOf({})));
  });

  it("put the automatic breakpoint on the last block that can be cached", () => {
    const blocks = blocksOf({
      cache_control: { type: "ephemeral", ttl: "1h" },
      messages: [{ role: "user", content: [{ type: "text", text: "a" }, { type: "thinking" }] }],
    });
    expect(blocks.map(({ breakpoint }) => breakpoint)).toEqual(["1h", undefined]);
  });

  it.each([
    [
      "five breakpoints",
      { system: Array.from({ length: 5 }, (_, index) => ({ type: "text", text: `${index}`, cache_control: mark })) },
      "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ],
    [
      "an hour after five minutes",
      {
        tools: [{ name: "search", cache_control: mark }],
        system: [{ type: "text", text: "s", cache_control: { type: "ephemeral", ttl: "1h" } as const }],
      },
      "system.0.cache_control.ttl: a ttl='1h' cache_control block must not come after",
    ],
    [
      "a breakpoint on an empty text",
      { system: [{ type: "text", text: "", cache_control: mark }] },
      "system.0.cache_control: cache_control cannot be set",
    ],
  ])("refuse %s in the provider's words", (_name, body, message) => {
    const reply = promptBlocks({ model: sonnet.id, messages: [{ role: "user", content: "hello" }], ...body }, sonnet);
    expect(reply).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });
});
