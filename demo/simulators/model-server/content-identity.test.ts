import { describe, expect, it } from "@jest/globals";
import { contentIdentity } from "./content-identity.ts";

const user = (text: string) => ({ role: "user" as const, content: text });

describe("contentIdentity", () => {
  it("is the same for the same lines in another order, at another time, with another marker", () => {
    const before = contentIdentity({
      model: "m",
      tools: [{ name: "a" }, { name: "b" }],
      system: [
        { type: "text", text: "Time: 2026-01-05T12:00:00.000Z" },
        { type: "text", text: "Be brief.\n" },
      ],
      messages: [user("Ticket 7\nGuide")],
    });
    const after = contentIdentity({
      model: "m",
      tools: [{ name: "b" }, { name: "a", cache_control: { type: "ephemeral" } }],
      system: "Be brief.",
      messages: [user("Guide\nTicket 7\n<runtime_context>\nTime: 2026-01-05T12:00:01.500Z\n</runtime_context>")],
    });
    expect(after).toBe(before);
  });

  it("is another when anything else is said", () => {
    const of = (text: string, tools: { name: string }[] = []) => contentIdentity({ model: "m", tools, messages: [user(text)] });
    expect(new Set([of("Ticket 7"), of("Ticket 8"), of("Ticket 7\nGuide"), of("Ticket 7", [{ name: "a" }])]).size).toBe(4);
  });
});
