import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { aBurnAlert, aCostRun } from "../../test/builders/a-cost-run.ts";
import { startBrowser } from "../../test/servers/browser.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { parseRunbook } from "../runbooks/parse/parse-runbook.ts";
import { buildReview } from "./build-review.ts";
import { renderReportHtml } from "./render-report-html.ts";

const file = "cost-incident-response.md";
const { runbook } = parseRunbook({
  file,
  source: readFileSync(join(import.meta.dirname, "../../runbooks", file), "utf8"),
  catalogue: actionCatalogue,
});
const reviewOf = (change: Parameters<typeof aCostRun>[0]) =>
  renderReportHtml(
    buildReview({ ...aCostRun(change), ...(runbook !== undefined && { runbook }), publicUrl: "https://runbookd.example.com" }),
  );

it("fits a telephone and a desk, and asks for nothing from outside", async () => {
  await using browser = await startBrowser();
  for (const width of [360, 800]) {
    const page = await browser.render(reviewOf({}), width);
    expect(page.contentWidth).toBeLessThanOrEqual(width);
    expect(page.requests).toEqual([]);
    expect(page.text).toContain("Post-incident review");
  }
}, 60_000);

it("shows hostile labels, answers and failures as text", async () => {
  const hostile = `<img src="https://evil.example/x.png" onerror="alert(1)"><script>console.log("ran")</script>`;
  const alert = aBurnAlert({
    labels: { alertname: hostile, budget: hostile, severity: "critical" },
    annotations: { summary: hostile },
  });
  await using browser = await startBrowser();
  const page = await browser.render(reviewOf({ alert, answerReason: hostile, failure: hostile }), 800);
  expect(page.requests).toEqual([]);
  expect(page.disturbances).toEqual([]);
  expect(page.text).toContain("evil.example");
}, 60_000);
