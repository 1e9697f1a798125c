import { describe, expect, it } from "@jest/globals";
import { promptLayoutSchema } from "./prompt-layout.ts";

const tools = { key: "tools", role: "tools", stability: "static", render: "{{tools}}" } as const;
const guide = { key: "guide", role: "system", stability: "repo", render: "Guide of {{repo}}" } as const;
const history = { key: "history", role: "user", stability: "turn", render: "" } as const;

describe("promptLayoutSchema", () => {
  it("takes layers in the order of their roles, with markers that get shorter", () => {
    const layout = {
      layers: [tools, guide, history],
      breakpoints: [
        { afterLayer: "tools", ttl: "1h" },
        { afterLayer: "history", ttl: "5m" },
      ],
    };
    expect(promptLayoutSchema.parse(layout).layers[0]).toEqual({ ...tools, canonical: false });
  });

  it("tells every fault at once", () => {
    const { error } = promptLayoutSchema.safeParse({
      layers: [guide, tools, guide, { ...history, render: "words" }],
      breakpoints: [
        { afterLayer: "history", ttl: "5m" },
        { afterLayer: "tools", ttl: "1h" },
        { afterLayer: "nowhere", ttl: "5m" },
      ],
    });
    const told = error?.issues.map(({ message }) => message) ?? [];
    expect(told).toEqual([
      "a second layer guide; keys are unique",
      "tools stands behind system; the order is tools, system, user",
      "the layer history has the role user and an empty render",
      "breakpoints follow the order of the layers, one a layer",
      "a longer lifetime stands before a shorter one",
      "there is no layer nowhere",
    ]);
  });
});
