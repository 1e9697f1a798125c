import { describe, expect, it } from "@jest/globals";
import { countTokensBody } from "../../../demo/simulators/model-server/messages-body.ts";
import { findModel } from "../../../demo/simulators/model-server/model-catalogue.ts";
import { promptBlocks } from "../../../demo/simulators/model-server/prompt-blocks.ts";
import { describePrefix } from "./describe-prefix.ts";
import { describeAnthropicRequest, describeOpenAiRequest } from "./describe-request.ts";
import { prefixSchema } from "./wire/prefix.ts";

const mark = { type: "ephemeral", ttl: "1h" } as const;
const body = {
  model: "claude-sonnet-4-5",
  tools: [
    { name: "read", input_schema: { type: "object" } },
    { name: "write", cache_control: mark },
  ],
  system: [
    { type: "text", text: "You repair repositories." },
    { type: "text", text: "Now: 2026-11-23T06:00:00Z", cache_control: { type: "ephemeral" } },
  ],
  messages: [
    { role: "user", content: "Mend GH-17" },
    { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "read", input: { path: "a.ts" } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "…", cache_control: { type: "ephemeral" } }] },
  ],
  thinking: { type: "disabled" },
};

describe("describeAnthropicRequest", () => {
  it("sees the blocks and markers that the provider sees, in its order", () => {
    const prefix = describeAnthropicRequest(body);
    const model = findModel(body.model);
    const served = model === undefined ? undefined : promptBlocks(countTokensBody.parse(body), model);
    expect(served?.ok === true ? served.blocks.map(({ breakpoint }) => breakpoint) : []).toEqual(
      prefix?.blocks.map(({ mark: own }) => own),
    );
    expect(prefix?.blocks.map(({ role, kind }) => `${role} ${kind}`)).toEqual([
      "tools tool",
      "tools tool",
      "system text",
      "system text",
      "user text",
      "assistant tool_use",
      "user tool_result",
    ]);
    expect(prefixSchema.safeParse(prefix).success).toBe(true);
    const whole = describeAnthropicRequest({
      ...body,
      cache_control: { type: "ephemeral" },
      messages: [{ role: "user", content: "Hello" }],
    });
    expect(whole?.blocks.at(-1)?.mark).toBe("5m");
  });

  it("holds no text, unless that is asked for", () => {
    expect(JSON.stringify(describeAnthropicRequest(body))).not.toMatch(/repair|GH-17|2026/);
    const texts = describeAnthropicRequest(body, { texts: true })?.texts ?? [];
    expect(texts.map(({ block }) => block)).toEqual([0, 1, 2, 3]);
    expect(JSON.stringify(texts)).not.toContain("GH-17");
    const careless = { ...body, system: "Use the key sk-ant-api03-AbCdEfGhIjKlMnOp." };
    expect(describeAnthropicRequest(careless, { texts: true })?.texts?.at(-1)?.text).toBe('{"type":"text","text":"Use the key [secret]."}');
  });

  it("has equal hashes for equal bytes, and a marker changes none", () => {
    const hashes = (of: object) => describeAnthropicRequest({ ...of })?.blocks.map(({ hash }) => hash);
    const { cache_control: _mark, ...unmarked } = { name: "write", cache_control: mark };
    expect(hashes({ ...body, tools: [body.tools[0], unmarked] })).toEqual(hashes(body));
    expect(hashes({ ...body, system: "You repair repositories." })?.[2]).toBe(hashes(body)?.[2]);
    expect(describeAnthropicRequest({ ...body, thinking: { type: "enabled" } })?.parameters).not.toBe(
      describeAnthropicRequest(body)?.parameters,
    );
  });

  it("lets clocks, and keys in another order, be seen in the hashes", () => {
    const system = (text: string) => describeAnthropicRequest({ system: text, messages: [] })?.blocks[0];
    const [early, late] = [system("Now: 2026-11-23T06:00:00Z. Be brief."), system("Now: 2026-11-24T09:30:00Z. Be brief.")];
    expect(early?.hash).not.toBe(late?.hash);
    expect(early).toMatchObject({ masked: late?.masked, spans: ["time"], spanTokens: 6 });
    const tool = (input: object) => describeAnthropicRequest({ tools: [{ name: "t", input }], messages: [] })?.blocks[0];
    expect(tool({ a: 1, b: "x" })?.hash).not.toBe(tool({ b: "x", a: 1 })?.hash);
    const [first, second] = [tool({ a: true, b: "x" }), tool({ b: "x", a: true })];
    expect(first?.canonical ?? first?.hash).toBe(second?.canonical ?? second?.hash);
    const [unix, windows] = [system("a\nb"), system("a  \r\nb\n")];
    expect(unix?.canonical ?? unix?.hash).toBe(windows?.canonical ?? windows?.hash);
  });

  it("looks into every block of the first message, and into none behind the first answer", () => {
    const content = ["Handbook of 2026-11-23.", "Now: 2026-11-23T06:00:00Z.", "Hello"].map((text) => ({ type: "text", text }));
    const messages = [
      { role: "user", content },
      { role: "assistant", content: "At 06:00." },
      { role: "user", content: "And 07:00?" },
    ];
    const spans = describeAnthropicRequest({ messages })?.blocks.map((block) => block.spans);
    expect(spans).toEqual([["time"], ["time"], undefined, undefined, undefined]);
  });

  it("names layers by the place of their blocks", () => {
    const layers: Record<string, string> = { "system.1": "clock", "tools.0": "tools", "messages.0.content": "ticket" };
    const prefix = describeAnthropicRequest(body, { layerOf: (path) => layers[path] });
    expect(prefix?.blocks.map(({ layer }) => layer)).toEqual(["tools", undefined, undefined, "clock", "ticket", undefined, undefined]);
  });

  it("takes a body of anything without an error", () => {
    expect(describeAnthropicRequest({})).toBeUndefined();
    expect(describeAnthropicRequest({ messages: [null, 7, { content: {} }], tools: "none", system: 4 })).toBeUndefined();
  });
});

describe("describeOpenAiRequest", () => {
  it("reads chat completions and responses", () => {
    const chat = describeOpenAiRequest({
      tools: [{ type: "function", function: { name: "read" } }],
      messages: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: "Hello", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }] },
      ],
      prompt_cache_key: "ticket-1",
    });
    expect(chat?.blocks.map(({ role, mark: own }) => [role, own])).toEqual([
      ["tools", undefined],
      ["system", undefined],
      ["user", "12h"],
    ]);
    expect(chat?.parameters).toHaveLength(16);
    const response = describeOpenAiRequest({
      instructions: "Be brief.",
      input: [
        { role: "user", content: "Hello" },
        { type: "function_call_output", call_id: "c", output: "1" },
      ],
    });
    expect(response?.blocks.map(({ role, kind }) => `${role} ${kind}`)).toEqual(["system text", "user text", "user function_call_output"]);
    expect(response).not.toHaveProperty("parameters");
  });
});

describe("describePrefix", () => {
  it("leaves out what is longer than is taken, and counts as it is told", () => {
    const block = { role: "user", block: { type: "text", text: "x" } } as const;
    expect(describePrefix(Array.from({ length: 1001 }, () => block))).toBeUndefined();
    expect(describePrefix([])).toBeUndefined();
    expect(describePrefix([block], { countTokens: () => 7 })?.blocks[0]?.tokens).toBe(7);
  });
});
