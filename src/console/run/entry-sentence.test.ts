import { describe, expect, it } from "@jest/globals";
import { type JournalEntry, journalEntrySchema } from "../../../packages/sdk/src/wire/journal.ts";
import { everyEntry } from "../../../test/builders/every-entry.ts";
import { entrySentence } from "./entry-sentence.ts";

describe("the sentence of a journal entry", () => {
  it("exists for every kind of entry that the wire has", () => {
    const kinds = journalEntrySchema.options.map((option) => option.shape.kind.value);
    expect(kinds.length).toBeGreaterThan(25);
    expect(new Set(everyEntry.map(({ kind }) => kind))).toEqual(new Set(kinds));
    const sentences = everyEntry.map((entry) => entrySentence(entry).text);
    // A sentence, and not the fields of the entry as JSON.
    expect(sentences.filter((text) => !/^\S[^{}[\]]*[.?]$/.test(text))).toEqual([]);
  });

  it("writes out characters that hide or turn text, and cuts what is too long", () => {
    const entry: JournalEntry = { kind: "resolved", at: 0, why: `ends \u202Etxt.exe\u0000 ${"x".repeat(5000)}` };
    const { text } = entrySentence(entry);
    expect(text).toContain("ends \\u202etxt.exe\\u0000 xxx");
    expect(text).toMatch(/… \(4,\d{3} more characters\)$/);
  });

  it("says that a refusal of the mode is a plan, and names any other guardrail", () => {
    const refused = everyEntry.find((entry) => entry.kind === "refused");
    if (refused?.kind !== "refused") throw new Error("There is no refusal among the entries.");
    expect(entrySentence({ ...refused, guardrail: "mode" }).text).toBe("Planned only: Close admission of budget checkout.");
    expect(entrySentence(refused).text).toMatch(/^Refused by the guardrail blast-radius: /);
  });
});
