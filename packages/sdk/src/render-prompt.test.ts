import { describe, expect, it } from "@jest/globals";
import { type PromptInput, type RenderedBody, renderPrompt } from "./render-prompt.ts";
import { promptLayoutSchema, variablesOf } from "./wire/prompt-layout.ts";

type LayoutInput = Parameters<typeof promptLayoutSchema.parse>[0];

const layers = [
  { key: "tools", role: "tools", stability: "static", render: "{{tools}}", canonical: true },
  { key: "rules", role: "system", stability: "static", render: "You fix tickets." },
  { key: "guide", role: "user", stability: "repo", render: "Guide:\n{{guide}}" },
  { key: "ticket", role: "user", stability: "ticket", render: "Ticket: {{ticket}}" },
  { key: "history", role: "user", stability: "turn", render: "" },
  { key: "runtime_context", role: "user", stability: "request", render: "Now: {{clock}}" },
];
const breakpoints = [
  { afterLayer: "rules", ttl: "1h" },
  { afterLayer: "history", ttl: "5m" },
];
const tools = [
  { name: "read", description: "reads", input_schema: { type: "object" } },
  { name: "edit", input_schema: { type: "object" }, description: "edits" },
];
const input: PromptInput = { variables: { tools, guide: "g", ticket: "t $& t", clock: "12:00" } };

function rendered(layout: LayoutInput, given: PromptInput = input): RenderedBody {
  const reply = renderPrompt(promptLayoutSchema.parse(layout), given);
  if (!reply.ok) throw new Error(reply.faults.join("; "));
  return reply.body;
}

describe("renderPrompt", () => {
  it("puts layers where the provider reads them, and the marker behind an empty history on the block before it", () => {
    expect(rendered({ layers, breakpoints })).toEqual({
      tools: [
        { description: "edits", input_schema: { type: "object" }, name: "edit" },
        { description: "reads", input_schema: { type: "object" }, name: "read" },
      ],
      system: [{ type: "text", text: "You fix tickets.", cache_control: { type: "ephemeral", ttl: "1h" } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Guide:\ng" },
            { type: "text", text: "Ticket: t $& t", cache_control: { type: "ephemeral" } },
            { type: "text", text: "Now: 12:00" },
          ],
        },
      ],
    });
  });

  it("lets the conversation stand in the middle, with the marker on its last block and what changes behind it", () => {
    const history = [
      { role: "assistant", content: "I read." },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "x", cache_control: { type: "ephemeral" } }] },
    ] as const;
    expect(rendered({ layers, breakpoints }, { ...input, history }).messages).toMatchObject([
      { role: "user", content: [{ text: "Guide:\ng" }, { text: "Ticket: t $& t" }] },
      { role: "assistant", content: [{ type: "text", text: "I read." }] },
      { role: "user", content: [{ type: "tool_result", cache_control: { type: "ephemeral" } }, { text: "Now: 12:00" }] },
    ]);
    expect(JSON.stringify(rendered({ layers, breakpoints }, { ...input, history })).split("cache_control")).toHaveLength(3);
  });

  it("sorts the keys of a text that is JSON as a whole, and touches none in which more than their order could change", () => {
    const text = (context: string, canonical = true) => {
      const layer = { key: "context", role: "user", stability: "ticket", render: "{{context}}", canonical };
      return rendered({ layers: [layer], breakpoints: [] }, { variables: { context } }).messages[0]?.content[0];
    };
    expect(text('{"b":1,"a":[{"d":2,"c":"x"}]}')).toEqual({ type: "text", text: '{"a":[{"c":"x","d":2}],"b":1}' });
    const untouched = ['{"b":12345678901234567890,"a":1}', '{"b": 1, "a": 2}', '{"b":1,"b":2}', '{"b":1', "7", "[see below]"];
    for (const same of untouched) expect(text(same)).toEqual({ type: "text", text: same });
    expect(text('{"b":1,"a":2}', false)).toEqual({ type: "text", text: '{"b":1,"a":2}' });
  });

  it("gives the same bytes for tools in any order when the layer is canonical, and only then", () => {
    const shuffled = { ...input, variables: { ...input.variables, tools: tools.toReversed() } };
    const text = (canonical: boolean, given: PromptInput) =>
      JSON.stringify(rendered({ layers: [{ ...layers[0], canonical }, ...layers.slice(1)], breakpoints }, given));
    expect(text(true, input)).toBe(text(true, shuffled));
    expect(text(false, input)).not.toBe(text(false, shuffled));
  });

  it("names every variable that is missing and a tools layer that is none", () => {
    const reply = renderPrompt(promptLayoutSchema.parse({ layers, breakpoints }), { variables: { tools: "[{}]", clock: "x" } });
    expect(reply).toEqual({
      ok: false,
      faults: [
        "layer tools: it does not render into a JSON list of tools, each with a name",
        "layer guide: the variable guide is missing",
        "layer ticket: the variable ticket is missing",
      ],
    });
    expect(variablesOf("{{a}} {{ b }} {{a}} {{}}")).toEqual(["a", "b"]);
  });
});
