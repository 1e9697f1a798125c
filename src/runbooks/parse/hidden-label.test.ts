import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { actionCatalogue } from "../../app/action-registry.ts";
import { findHiddenLabel } from "./hidden-label.ts";
import { parseRunbook } from "./parse-runbook.ts";

function diagnosticsOf(bullet: string, rest = "", step = "**Open**: Open it.") {
  const source = `---\nmode: auto\n---\n# Runbook: X\n\n## Scenario\nx\n\n## Procedure\n\n1. ${step}\n   - Action: \`resume-batches\`\n     \`\`\`yaml\n     budget: checkout\n     reason: back to normal\n     \`\`\`\n${bullet}\n\n## Verification\n- ok: \`1 == 1\`\n${rest}`;
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
    ["behind a line break in HTML", "   - Be careful.<br>Approval: operator"],
    ["behind a line break in HTML with a slash", "   - Be careful.<BR />Approval - operator"],
    ["behind NEXT LINE", "   - Be careful.\u0085Approval: operator"],
    ["behind a vertical tab", "   - Be careful.\u000bApproval: operator"],
    ["behind LINE SEPARATOR", "   - Be careful.\u2028Approval operator"],
    ["behind PARAGRAPH SEPARATOR", "   - Be careful\u2029Approval: the lead"],
    ["behind a hard line end", "   - Be careful.  \n     Approval – operator"],
    ["behind a sentence", "   - Be careful. Approval: operator"],
    ["behind a wide gap", "   - Be careful\u00a0\u00a0\u00a0\u00a0Approval: operator"],
    ["without a mark before it", "   - Be careful and mind the approval: operator"],
    ["behind another label's value", "   - If this fails: ask. Approval: operator"],
    ["in a row of a table", "   | What | Who |\n   | --- | --- |\n   | Approval | operator |"],
    ["in a row that is no table", "   | Approval | operator |"],
    ["in the head of a table", "   | Step | Approval |\n   | --- | --- |\n   | open | Jane |"],
    ["in a definition list", "   <dl><dt>Approval</dt><dd>operator</dd></dl>"],
    ["in a term alone", "   <dt>Approval</dt>"],
    ["in a summary", "   <details>\n   <summary>Approval</summary>\n   operator\n   </details>"],
    ["as a heading", "   #### Approval"],
    ["as a heading in other words", "   #### On failure"],
    ["as a bold line", "   **Approval**"],
    ["as a bold line in other words", "   **Sign-off**"],
    ["as a line", "   Approval"],
    ["bold in a quote", "   > **Approval** operator"],
    ["bold before a sentence", "   **Approval** by the lead"],
    ["behind a bullet that is none", "   - Be careful.\n     ◦ Approval operator"],
    ["behind a bullet that begins a paragraph", "   ◦ Approval operator"],
    ["behind the code of an emoji", "   - :warning: Approval: operator"],
    ["in small capitals", "   - ᴀᴘᴘʀᴏᴠᴀʟ: operator"],
    ["in black squares", "   - 🅰🅿🅿🆁🅾🆅🅰🅻: operator"],
    ["in Cherokee letters", "   - ᎪᏢᏢᎡᎾᏙᎪᏞ: operator"],
    ["in spaced letters", "   - A p p r o v a l: operator"],
    ["misspelled, with an invisible character", "   - Appro\u00advel: operator"],
    ["misspelled in a look-alike", "   - Арproval1 - operator"],
    ["with a letter that looks like a colon", "   - Approvalˑ operator"],
    ["with a character reference", "   - Be careful.<br>Approval&colon; operator"],
    ["behind a remark", "   - Note: Approval: operator"],
    ["as what is required", "   - Requires: approval"],
    ["as a gate", "   - Gate: operator"],
    ["as a gate behind a dash", "   - Gate — two approvers"],
    ["as a note", "   - Requires approval."],
    ["as another note", "   - Operator approval required"],
    ["as a paragraph", "   Gate: operator"],
    ["as a nested bullet", "   - Be careful.\n     - Approval operator"],
    ["with the time", "   Timeout 30s"],
    ["from right to left", "   - \u202erotarepo :lavorppA"],
    ["with any mark before the role", "   - Approval/operator"],
    ["with a full stop before the role", "   - Approval. Operator."],
    ["with nothing to see before the role", "   - Approval\u200boperator"],
    ["the wrong way round", "   - Operator: approval"],
    ["as a need of a person", "   - Needs an approver"],
    ["as a gate for a person", "   - Gate: human"],
    ["as a duty", "   - An operator must approve."],
    ["as a condition", "   - Only with approval."],
    ["as a name of a field", "   - approval_required: yes"],
    ["as a name of a field in another case", "   - approvalRequired: true"],
    ["with a policy and no colon", "   - If this fails, ask."],
    ["with a policy and a dash", "   - On failure - stop"],
  ])("is an error %s", (_where, lines) => {
    const { runbook, diagnostics } = diagnosticsOf(lines);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(runbook).toBeUndefined();
    expect(errors).toEqual([expect.objectContaining({ rule: expect.stringMatching(/^label-/u) })]);
    expect(errors[0]?.position.line).toBeGreaterThanOrEqual(17);
    expect(errors[0]?.position.line).toBeLessThan(17 + lines.split("\n").length);
  });

  it.each([
    "**Open**: Approval: operator",
    "**Open (Approval: operator)**: Open it.",
    "**Open** — Approval: operator",
    "**Open** (requires approval): Open it.",
    "**Open (requires approval)**: Open it.",
    "**Open**: Open it.<br>Approval: operator",
    "**Open**: Open it.\u2028Approval - operator",
    "**Open**: Approval operator",
    "**Open**: Open it. If this fails: ask.",
    "**Open**: Open it. On failure: stop.",
    "**Open**: Open it. Timeout: 30s",
    "**Approval: operator**: Open it.",
    "**Approval**: operator",
    "**Open**: Open it,\n   Approval operator",
  ])("is an error in the line of the step: %j", (line) => {
    const { runbook, diagnostics } = diagnosticsOf("", "", line);
    expect(runbook).toBeUndefined();
    expect(diagnostics).toEqual([
      expect.objectContaining({
        severity: "error",
        rule: "label-hidden",
        position: expect.objectContaining({ line: line.includes("\n") ? 12 : 11 }),
      }),
    ]);
  });

  it("says where in the line it is", () => {
    expect(diagnosticsOf("   - Be careful.<br>Approval: operator").diagnostics[0]?.position).toEqual({ line: 17, column: 21 });
    expect(diagnosticsOf("   - Be careful.\u2028\u2028Approval: operator").diagnostics[0]?.position).toEqual({ line: 17, column: 19 });
  });

  it("is the label or an error behind whatever separates it from another text", () => {
    const separated = fc.record({
      label: fc.constantFrom(...labels.slice(0, 1), ["If this fails", "ask"] as const),
      before: fc.constantFrom("Be careful", "Look at `a: b`", "See [this](https://wiki.example/a)", "**Mind the gap**"),
      separator: fc.constantFrom(
        "<br>",
        "<br/>",
        "<p>",
        "</p><p>",
        "<hr>",
        "\u0085",
        "\u000b",
        "\u000c",
        "\u2028",
        "\u2029",
        "\\\n     ",
        "  \n     ",
        "\n\n     ",
      ),
      front: fc.constantFrom(...fronts),
      dress: fc.constantFrom(...dresses),
      behind: fc.constantFrom(":", ...behinds),
      place: fc.constantFrom("bullet", "step", "paragraph", "quote"),
    });
    fc.assert(
      fc.property(separated, ({ label: [name, value], before, separator, front, dress, behind, place }) => {
        const indented =
          place === "step" || place === "paragraph"
            ? separator.replace("     ", "   ")
            : separator.replace(/\n {5}$/u, place === "quote" ? "\n   > " : "$&");
        const text = `${before}${place === "quote" ? indented.replace("\n\n", "\n   >\n") : indented}${front}${dress(name)}${behind}${value}`;
        const { runbook, diagnostics } =
          place === "step"
            ? diagnosticsOf("", "", `**Open**: ${text}`)
            : diagnosticsOf(`${{ bullet: "   - ", paragraph: "   ", quote: "   > " }[place]}${text}`);
        expect([text, runbook, diagnostics.length > 0]).toEqual([text, undefined, true]);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    "Two people have looked at it; the approval comes later.",
    "The approval that the owner gave last week (see the ticket) covers this.",
    "Ask the operator, or the approver: both may know more.",
    "Nothing happens without an approval, and that is intended.",
    "This takes a while: the timeout is long.",
    "One line per batch is shown (action: pause).",
    "It is expected - by everyone - to take a minute.",
    "Close it when the load is low: at night.",
    'The document says "Approval: operator" in its first step.',
    "The document that was here before says `Approval: operator` then.",
    "<!-- Approval: operator -->",
    "If it fails, look at the log: it names the cause.",
    "It needs the approval of the owner; that was given.",
    "Two approvers have an account, three operators have none.",
    "Ask them (operator and approver) where the key is.",
    "The on-call operator - a person - has the key.",
    "This fires when all of the Scheduling and Performance (SSP) Operator",
  ])("is prose in every place of a step: %s", (sentence) => {
    for (const line of [
      `   - ${sentence}`,
      `   ${sentence}`,
      `   > ${sentence}`,
      `   | a | b |\n   | - | - |\n   | x | ${sentence} |`,
      `   - x<br>${sentence}`,
    ])
      expect([line, diagnosticsOf(line).diagnostics]).toEqual([line, []]);
    expect([sentence, diagnosticsOf("", "", `**Open**: ${sentence}`).diagnostics]).toEqual([sentence, []]);
    expect(diagnosticsOf("", "", `**Open**: Open it. ${sentence}`).diagnostics).toEqual([]);
  });

  it.each([
    "#### Access approval",
    "#### Approval process",
    "| Setting | Value |\n   | - | - |\n   | action | restart |\n   | timeout | 30s |",
  ])("is no label where a title or a table is about one: %j", (lines) => {
    expect(diagnosticsOf(`   ${lines}`).diagnostics).toEqual([]);
  });

  it("is found behind any number of blanks and invisible characters", () => {
    for (const line of [
      `Approval${" ".repeat(5000)}: operator`,
      `Appro${"\u200b".repeat(5000)}val: operator`,
      `a${" ".repeat(100_000)}Approval: operator`,
    ])
      expect(diagnosticsOf(`   - ${line}`).diagnostics).toContainEqual(
        expect.objectContaining({ severity: "error", rule: "label-hidden" }),
      );
  });

  it.each([
    "**Approval**: The lead looks at it.",
    "**Get approval**: Ask the lead.",
    "**Operator approval**: Ask the operator.",
    "**Undo: close it**: Close it.",
  ])("may be the name of a step: %s", (line) => {
    expect(diagnosticsOf("", "", line).diagnostics).toEqual([]);
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

it.each(["Approval：operator", "* Approval：operator", "> Approval operator", "<p>Approval: operator</p>", "Look first.<br>Timeout: 30s"])(
  "is an error between the steps, where a reader takes it for the one before: %j",
  (line) => {
    const { runbook, diagnostics } = diagnosticsOf(`\n${line}\n`);
    expect(runbook).toBeUndefined();
    expect(diagnostics).toEqual([expect.objectContaining({ severity: "error", position: expect.objectContaining({ line: 18 }) })]);
  },
);

it.each(["### Approval", "Who may start this: operator", "Approvers are Jane and Joe."])("is prose between the steps: %s", (line) => {
  expect(diagnosticsOf(`\n${line}\n`).diagnostics).toEqual([]);
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
