import type { Block, DocumentTree, Inline } from "../../packages/sdk/src/wire/document-tree.ts";

const text = (value: string): Inline => ({ type: "text", text: value });
const code = (value: string): Inline => ({ type: "code", text: value });
/** One paragraph of plain text. */
export const aParagraph = (...children: readonly (Inline | string)[]): Block => ({
  type: "paragraph",
  children: children.map((child) => (typeof child === "string" ? text(child) : child)),
});
const heading = (level: number, value: string): Block => ({
  type: "heading",
  level,
  id: value.toLowerCase().replaceAll(/[^a-z]+/g, "-"),
  children: [text(value)],
});

interface StepParts {
  readonly action?: string;
  readonly expected?: string;
}

/** One step with its prose and its labelled items. */
function aStep(number: number, name: string, prose: string, { action, expected }: StepParts = {}): Block {
  const items: Block[][] = [];
  if (action !== undefined) {
    const parameters: Block = { type: "code", language: "yaml", text: "budget: ${{ params.budget }}" };
    items.push([aParagraph("Action: ", code(action)), parameters]);
  }
  if (expected !== undefined) items.push([aParagraph("Expected: ", code(expected), " within 2m")]);
  items.push([aParagraph("If this fails: retry 3 times every 5s, then ask.")]);
  const list: Block = { type: "list", ordered: false, items };
  return { type: "step", id: name.toLowerCase().replaceAll(/[^a-z]+/g, "_"), number, name, children: [aParagraph(prose), list] };
}

/** The tree of a runbook for cost incidents: every kind of block that the shipped runbooks have, and eight steps. */
export function aDocumentTree(): DocumentTree {
  return {
    runbook: "cost-incident-response",
    sha256: "ab".repeat(32),
    title: "Runbook: Cost incident response",
    children: [
      heading(2, "Scenario"),
      aParagraph("Spend on a budget has reached its limit or runs far ahead of its plan. The run stops first and asks why afterwards."),
      heading(2, "Prerequisites"),
      {
        type: "list",
        ordered: false,
        items: [
          [
            aParagraph("Prometheus has data of this budget:"),
            { type: "code", language: "promql", text: 'llm_budget_limit_usd{budget="${{ params.budget }}"}' },
          ],
          [aParagraph("Every application that spends from the budget asks for admission.")],
        ],
      },
      heading(2, "Procedure"),
      heading(3, "Immediate response: stop all batch jobs"),
      aStep(1, "Take a snapshot", "Keep the budget, its limits and what runs now.", { action: "take-snapshot" }),
      aStep(2, "Stop all batch jobs", "Close admission for every batch of this budget.", {
        action: "pause-batches",
        expected: "result.paused",
      }),
      aStep(3, "Stop tickets in flight", "Every ticket that runs ends at its next turn boundary.", { action: "cancel-tickets" }),
      aStep(4, "Prove that spending has stopped", "Spend must fall below a twentieth of what it was.", {
        action: "prometheus-query",
        expected: "result.value <= before.spend * 0.05",
      }),
      heading(3, "Identify high-cost operations"),
      aStep(5, "Identify high-cost operations", "Rank prompt and operation by what their cost rose.", { action: "rank-operations" }),
      heading(3, "Implement cost controls"),
      aStep(6, "Implement cost controls", "Limits follow from the factor.", { action: "set-limits" }),
      heading(3, "Resume operations with limits"),
      aStep(7, "Resume operations with limits", "Open with a quarter, then half, then all of the limited concurrency.", {
        action: "resume-with-ramp",
        expected: "result.verified",
      }),
      heading(3, "Post-incident review"),
      aStep(8, "Record the state after the incident", "The same picture as in the beginning.", { action: "take-snapshot" }),
      heading(2, "Verification"),
      { type: "list", ordered: false, items: [[aParagraph("The burn is back under plan within 10m.")]] },
      heading(2, "Related"),
      {
        type: "table",
        header: [[text("Runbook")], [text("When")]],
        rows: [
          [
            [{ type: "link", href: "/runbooks/cache-optimization", children: [text("Cache optimization")] }],
            [text("the culprit's cache reads have fallen")],
          ],
        ],
      },
    ],
  };
}
