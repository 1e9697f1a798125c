import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { actionCatalogue } from "../../app/action-registry.ts";
import { findHiddenLabel } from "./hidden-label.ts";
import { parseRunbook } from "./parse-runbook.ts";

function diagnosticsOf(bullet: string, rest = "") {
  const source = `---\nmode: auto\n---\n# Runbook: X\n\n## Scenario\nx\n\n## Procedure\n\n1. **Open**: Open it.\n   - Action: \`resume-batches\`\n     \`\`\`yaml\n     budget: checkout\n     reason: back to normal\n     \`\`\`\n${bullet}\n\n## Verification\n- ok: \`1 == 1\`\n${rest}`;
  return parseRunbook({ file: "x.md", source, catalogue: actionCatalogue });
}

const labels: readonly (readonly [string, string])[] = [
  ["Approval", "operator"],
  ["When", "`1 == 1`"],
  ["Undo", "`pause-batches`"],
  ["If this fails", "ask"],
  ["Timeout", "30s"],
  ["Expected", "`result.resumed`"],
];
const fronts = [
  "",
  "⚠️ ",
  "✅",
  "👉🏽 ",
  "\u200b",
  "\u2060\ufeff",
  "→ ",
  "§ ",
  "[x] ",
  "(1) ",
  "a) ",
  "ii. ",
  "‣ ",
  "¡",
  "· ",
  "| ",
  "> ",
  "~~",
  "\u202e",
];
const behinds = ["：", "﹕", " ∶ ", "։", " - ", " – ", " — ", " → ", " => ", " = ", " | ", " ✅ ", " (", "; ", "** - "];
const dresses: readonly ((label: string) => string)[] = [
  (label) => label,
  (label) => label.toUpperCase(),
  (label) => `**${label}**`,
  (label) => `[${label}](https://wiki.example/a)`,
  (label) => `[${label}][wiki]`,
  (label) => `\`${label}\``,
  (label) => `<b>${label}</b>`,
  (label) => Array.from(label).join("\u200d"),
  (label) => label.replaceAll("A", "А").replaceAll("o", "о").replaceAll("e", "е"),
  (label) => label.replaceAll(/[A-Za-z]/gu, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)),
  (label) => label.replaceAll("a", "á"),
];

describe("a label inside a step", () => {
  it("is the label or an error at its line, however it is dressed", () => {
    const dressed = fc.record({
      label: fc.constantFrom(...labels),
      front: fc.constantFrom(...fronts),
      dress: fc.constantFrom(...dresses),
      behind: fc.constantFrom(":", ...behinds),
      bullet: fc.constantFrom("   - ", "   * ", "   + ", "   1. "),
    });
    fc.assert(
      fc.property(dressed, ({ label: [name, value], front, dress, behind, bullet }) => {
        const { runbook, diagnostics } = diagnosticsOf(`${bullet}${front}${dress(name)}${behind}${value}`);
        const step = runbook?.steps[0];
        const read =
          [step?.approval, step?.when, step?.undo, step?.timeoutMs, step?.expected].some((one) => one !== undefined) ||
          step?.onFailure.then.kind === "ask";
        expect(read || diagnostics.some(({ position }) => position.line === 17)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  it.each([
    "Approval required: operator",
    "Requires approval: operator",
    "Approval needed: operator",
    "Approved by: operator",
    "Approvers: operator",
    "Sign-off: operator",
    "Approval operator",
    "Approval by an operator",
    "Final approval (two people): operator",
    "On failure: retry 3 times every 5s, then ask.",
    "If it fails: ask",
    "In case of failure: ask",
    "When this step fails: ask",
  ])("is an error in other words: %s", (bullet) => {
    expect(diagnosticsOf(`   - ${bullet}`).diagnostics).toEqual([
      expect.objectContaining({ severity: "error", rule: "label-hidden", position: { line: 17, column: 6 } }),
    ]);
  });

  it.each([
    "Retry: 3 times",
    "Rollback: close it",
    "Only if: it is day",
    "Time limit: 30s",
    "Expected output: true",
    "On error - ask",
    "Get approval from the lead (in the chat)",
  ])("is a warning in words that often mean no more than they say: %s", (bullet) => {
    expect(diagnosticsOf(`   - ${bullet}`).diagnostics).toEqual([expect.objectContaining({ severity: "warning", rule: "label-hidden" })]);
  });

  it.each([
    "Approval of the owner was given last week, as the ticket says.",
    "When in doubt, ask the owner.",
    "Expected load is low at night.",
    "Note: the gate stays closed.",
    "Undo is not possible, and not needed.",
    "If it fails, look at the log - twice.",
    "The action: see above.",
    "Actions speak louder than words.",
    "Time: 5 minutes",
    "Dashboard - Cost",
    "See [Approval](https://wiki.example) for the rules.",
  ])("is prose where it is a sentence: %s", (bullet) => {
    expect(diagnosticsOf(`   - ${bullet}`).diagnostics).toEqual([]);
  });

  it.each([
    "     Approval：operator",
    "     - Approval：operator",
    "   Approval：operator",
    "   > Approval：operator",
    "   <b>Approval</b>：operator",
    "   | Approval：operator |",
  ])("is found in a line that is no bullet of the step: %j", (line) => {
    const { runbook, diagnostics } = diagnosticsOf(`   - Some prose.\n${line}`);
    expect(runbook).toBeUndefined();
    expect(diagnostics).toEqual([expect.objectContaining({ position: expect.objectContaining({ line: 18 }) })]);
  });
});

it("names the sections that exist where labels stand under one that is not read", () => {
  const { diagnostics } = diagnosticsOf("", "\n## Clean-up\n- Action: `pause-batches`\n");
  expect(diagnostics).toEqual([
    expect.objectContaining({
      rule: "label-in-unknown-section",
      message: "`Action` stands under `Clean-up`, which is no section that is read.",
      accepted: expect.stringContaining("Post-Action"),
    }),
  ]);
});

it("reads any text in bounded time", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
      findHiddenLabel(text);
      expect(findHiddenLabel(`${"a ".repeat(5000)}${text}`)).toBeUndefined();
    }),
  );
});
