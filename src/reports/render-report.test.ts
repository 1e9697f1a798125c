import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { aBurnAlert, aCostRun } from "../../test/builders/a-cost-run.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import type { Journal } from "../core/journal.ts";
import { parseRunbook } from "../runbooks/parse/parse-runbook.ts";
import { buildReview } from "./build-review.ts";
import { renderReportHtml } from "./render-report-html.ts";
import { renderReportText } from "./render-report-text.ts";
import type { ReviewInput } from "./review.ts";

const source = readFileSync(join(import.meta.dirname, "../../runbooks/cost-incident-response.md"), "utf8");
const { runbook } = parseRunbook({ file: "cost-incident-response.md", source, catalogue: actionCatalogue });

function aReview(change: Parameters<typeof aCostRun>[0] = {}, input: Partial<ReviewInput> = {}) {
  return buildReview({
    ...aCostRun(change),
    ...(runbook !== undefined && { runbook }),
    publicUrl: "https://runbookd.example.com/",
    ...input,
  });
}

/** Tag names of a page with their attributes, in order. */
function tagsOf(html: string): readonly string[] {
  return html.match(/<[a-z!][^>]*>/gi) ?? [];
}

describe("structure", () => {
  const review = aReview();

  it("stands under the runbook's own headings, in both parts", () => {
    const headings = [
      "Scenario",
      "Symptoms",
      "Prerequisites",
      "Procedure",
      "Verification",
      "Tracked metrics",
      "Left for people",
      "Related",
    ];
    const text = renderReportText(review);
    expect(headings.map((heading) => text.indexOf(`\n${heading}\n---`)).every((at, index, all) => at > (all[index - 1] ?? 0))).toBe(true);
    const titles = Array.from(renderReportHtml(review).matchAll(/<h2[^>]*>([^<]*)<\/h2>/g), (match) => match[1]);
    expect(titles).toEqual(headings);
  });

  it("tells every step of the document with its number, what was done when, and how it ended", () => {
    expect(review.steps.map(({ number, state }) => `${number} ${state}`)).toEqual(runbook?.steps.map((step) => `${step.number} done`));
    expect(review.steps[1]).toMatchObject({
      lines: [
        { text: "Close admission of budget checkout." },
        { text: "Attempt 1 failed (refused by target): The controls of budget checkout changed since the plan." },
        { text: "Attempt 2: Close admission of budget checkout." },
        { text: "Done." },
        { text: "Expectation held: `result.paused` is true" },
      ],
      changes: [
        { target: "budget/checkout", field: "gate", before: "open", after: "paused" },
        { field: "paused until", before: "none", after: "2026-01-05 16:00:00 UTC" },
      ],
    });
  });

  it("tells who answered, each move of the ramp once, and the ranking as a table", () => {
    expect(review.steps[3]?.lines.map((line) => line.text)).toContain('ann answered "retry": scrape was late');
    expect(review.steps[6]?.lines.map((line) => line.text)).toEqual([
      expect.stringContaining("Open budget checkout"),
      "The burn is not down yet; now closed.",
      "The burn is under the threshold; now 1 at once.",
      "The burn is under the threshold; now 3 at once.",
      "The burn came back; now 1 at once.",
      "The burn is under the threshold; now 3 at once.",
      "The burn is under the threshold; now 6 at once.",
      "Done.",
    ]);
    expect(review.steps[4]?.waterfall?.map(({ name, amount }) => [name, amount])).toEqual([
      ["before", "$0.36"],
      ["attempts per ticket", "+$8.68"],
      ["tokens per turn", "+$0.60"],
      ["tickets", "-$0.24"],
      ["price", "$0.00"],
      ["now", "$9.40"],
    ]);
    expect(renderReportText(review)).toMatch(/attempts per ticket +\+\$8\.68 +96 % +× 22\.9 +█{37}\n/);
    expect(renderReportHtml(review)).toMatch(/attempts per ticket<\/td>.*width:90%;background:#cf222e/);
    expect(review.steps[4]?.ranking?.rows[0]).toEqual(["implement", "plan", "$10.22", "$0.41", "+$9.81", "91 %", "1.1 → 7.8"]);
    expect(renderReportText(review)).toMatch(/implement +plan +\$10\.22 +\$0\.41 +\+\$9\.81 +91 %/);
  });

  it("shows the verification with its last truth, and the query as it was asked", () => {
    expect(review.verification).toEqual([
      expect.objectContaining({
        truth: "true",
        detail: "1 series, 0.8 (2026-01-05 13:15:05 UTC, after 2 looks)",
        source: expect.stringContaining('{budget="checkout"} < 1.2'),
      }),
    ]);
  });

  it("says what is left for people and links only to itself", () => {
    expect(review.remainingTasks).toHaveLength(2);
    const html = renderReportHtml(review);
    expect(html.match(/href="[^"]*"/g)).toEqual(['href="https://runbookd.example.com/runs/run_01JH"']);
  });

  it("needs nothing from outside: no script, no style sheet, no picture, no font", () => {
    const html = renderReportHtml(review);
    expect(html).not.toMatch(/<(script|style|link|img|iframe|object|form)\b|url\(|@import|src=/i);
    expect(html.match(/<svg/g)).toHaveLength(2);
  });
});

describe("other ends", () => {
  const accepted = aCostRun().journal[0];
  const journalOf = (...entries: Journal): Journal => (accepted === undefined ? [] : [accepted, ...entries]);
  const summary = aCostRun().summary;
  const at = summary.acceptedAt + 1000;
  const plan = { summary: "Close admission", targets: ["budget/checkout"], changes: [], reversible: true, data: null };
  const one = aRunbook([aStep("one"), aStep("two", { action: null })]);

  it("shows what an observing run would have done", () => {
    const review = buildReview({
      summary,
      runbook: one,
      journal: journalOf({
        at,
        kind: "refused",
        step: "one",
        guardrail: "mode",
        reason: "observe",
        plan: { ...plan, changes: [{ target: "t", field: "gate", before: "open", after: "paused" }] },
      }),
    });
    expect(review.steps[0]).toMatchObject({
      state: "planned only",
      changes: [{ after: "paused" }],
      lines: [{ text: "Refused by mode: observe. Would have done: Close admission" }],
    });
    expect(review.inShort).toContain("Nothing was changed.");
  });

  it("never calls an intent without a result done", () => {
    const review = buildReview({
      summary,
      runbook: one,
      journal: journalOf({
        at,
        kind: "intent",
        step: "one",
        action: "a",
        effect: "once",
        attempt: 1,
        group: 1,
        idempotencyKey: "k",
        plan,
        planSha: "s",
      }),
    });
    expect(review.steps[0]?.state).toBe("in doubt");
    expect(review.remainingTasks).toContain('Step "one" is in doubt: look at it.');
    expect(review.steps[1]?.state).toBe("not reached");
  });

  it("leaves an inconclusive verification, a failed undo and an open question for people", () => {
    const review = buildReview({
      summary: { ...summary, state: "suspended" },
      runbook: {
        ...one,
        verification: [{ text: "Burn is down", position: { line: 1, column: 1 }, check: { kind: "promql", query: "up" } }],
      },
      journal: journalOf(
        { at, kind: "checked", subject: { kind: "verification", index: 0 }, truth: "inconclusive", detail: "no data" },
        {
          at,
          kind: "undo_failed",
          step: "one",
          attempt: 1,
          failure: { reason: "refused_by_target", message: "changed by ann", applied: "no" },
        },
        {
          at,
          kind: "asked",
          question: {
            id: "q",
            runId: "r",
            runbookId: "b",
            stepId: "two",
            kind: "manual",
            text: "Do it",
            answers: ["done"],
            askedAt: at,
            role: "operator",
          },
        },
      ),
    });
    expect(review.remainingTasks).toEqual([
      'Step "one" is failed: look at it.',
      'Step "one" could not be undone: changed by ann',
      "Verification is inconclusive: Burn is down",
      "A question waits: Do it",
    ]);
  });

  it("says which step an undo has kept, because it lowers, and who takes it back", () => {
    const review = buildReview({
      summary,
      runbook: one,
      journal: journalOf(
        { at, kind: "applied", step: "one", attempt: 1, output: {} },
        { at, kind: "completed", step: "one" },
        { at, kind: "undo_started", why: "Step 2 failed", outcome: "undone" },
        { at, kind: "undone", step: "one", note: "it lowers", kept: "lowers" },
        { at, kind: "finished", outcome: "undone", reason: "Step 2 failed" },
      ),
    });
    expect(review.steps[0]?.state).toBe("done");
    expect(renderReportText(review)).toContain("Not undone, kept: it lowers.");
    expect(review.remainingTasks).toContain('Step "one" was not undone, because it lowers: take it back yourselves once that is safe.');
  });

  it("tells the journal's own steps when the document is gone", () => {
    const { runbook: _gone, ...rest } = { ...aCostRun(), runbook };
    const review = buildReview(rest);
    expect(review.title).toBe("cost-incident-response");
    expect(review.steps.map((step) => step.name)).toContain("stop_all_batch_jobs");
    expect(renderReportText(review)).toContain("stop_all_batch_jobs [done]");
  });
});

describe("hostile text", () => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "</textarea></td></table>",
    "]]>",
    '" onmouseover="alert(1)',
    "[x](javascript:alert(1))",
    "&#106;avascript:alert(1)",
    "\u001b[31mred\u001b[0m\u001b]8;;http://evil\u0007link\u001b]8;;\u0007",
    "a\u202eb\u200bc\u0000d",
    "x\r\nBcc: evil@example.com",
  ].join(" ");
  const alert = aBurnAlert({
    labels: { alertname: hostile, budget: hostile, [hostile]: hostile },
    annotations: { summary: hostile },
    generatorUrl: "javascript:alert(1)",
  });
  const calm = tagsOf(renderReportHtml(aReview()));
  const review = aReview({ alert, answerReason: hostile, failure: hostile });

  it("adds no element and no attribute to the page", () => {
    const html = renderReportHtml(review);
    expect(tagsOf(html)).toEqual(calm);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).not.toMatch(/href="(?!https:\/\/runbookd\.example\.com\/)/);
  });

  it.each([
    ["HTML", renderReportHtml],
    ["text", renderReportText],
  ])("leaves no control, turning or hidden character in the %s part", (_name, render) => {
    // Everything below a space except line feed, and what turns or hides text.
    const bad = Array.from(render(review)).filter(
      (character) => /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069]/u.test(character) && character !== "\n",
    );
    expect(bad).toEqual([]);
  });

  it("cuts each long label by itself, so that it hides none behind it", () => {
    const labels = { alertname: "Burn", sql: "x".repeat(100_000), budget: "checkout" };
    const text = renderReportText(aReview({ alert: aBurnAlert({ labels }) }));
    expect(text).toContain(`sql="${"x".repeat(119)}…", budget="checkout"`);
  });

  it("keeps a label on its own line", () => {
    const lines = renderReportText(review).split("\n");
    expect(lines.filter((line) => line.startsWith("Bcc:"))).toEqual([]);
  });

  it("shows raw HTML and unsafe links of a document as text", () => {
    const prose =
      "A <b onclick=x>word</b>, [bad](javascript:alert(1)), [Bad](JaVaScRiPt:x), [bad](javascript://x%0aalert(1)), [bad](data://text/html,x), [rel](other.md), [good](https://example.org/a?b=1&c=2)\n\n<script>alert(1)</script>\n\n- one\n- two `x<y`";
    const html = renderReportHtml(buildReview({ ...aCostRun(), runbook: aRunbook([], { prose: { Scenario: prose } }) }));
    expect(html.match(/<a [^>]*>/g)).toEqual(['<a href="https://example.org/a?b=1&amp;c=2" style="color:#1f5fae">']);
    expect(html).not.toMatch(/<script|<b /);
    expect(html).toContain("&lt;script&gt;");
    expect(html).toContain("x&lt;y");
  });
});
