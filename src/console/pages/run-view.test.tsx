import { describe, expect, it } from "@jest/globals";
import { renderToString } from "preact-render-to-string";
import type { RunRecord } from "../../../packages/sdk/src/wire/journal.ts";
import { aDocumentTree } from "../../../test/builders/a-document-tree.ts";
import { aHostileScene, anAskingScene, anEndedScene, aTroubledScene } from "../../../test/builders/console-scenes.ts";
import { ServicesContext } from "../services.ts";
import { stillServices } from "../still-services.ts";
import { RunView } from "./run-page.tsx";

const stepOf = (html: string, number: number) => html.slice(html.indexOf(`id="step-${number}"`)).split('<li class="step')[0] ?? "";
const pageOf = (record: RunRecord) =>
  renderToString(
    <ServicesContext.Provider value={stillServices()}>
      <RunView id={record.summary.id} record={{ body: record, readAt: 0 }} document={{ body: aDocumentTree(), readAt: 0 }} now={0} />
    </ServicesContext.Provider>,
  );

describe("the page of a run", () => {
  it("shows the open question in its step, with the plan as before and after and what silence does", () => {
    const step = stepOf(pageOf(anAskingScene()), 7);
    expect(step).toContain("Open budget checkout again with 1, then 3, then 6 tickets at once?");
    expect(step).toMatch(/was <\/span>paused.*becomes <\/span>open/);
    expect(step).toContain("nothing of this plan is done");
  });

  it.each([
    [1, "skipped", "Skipped: its condition"],
    [2, "undone", "Expected holds"],
    [3, "failed", "The queue did not answer within 5 s."],
    [4, "passed over", "Spend must fall"],
    [8, "to come", "The same picture"],
    [5, "refused", "Refused by the guardrail change-rate"],
    [6, "frozen", "Held back by the freeze of budget/*, set by ben"],
    [7, "in doubt", "Did it happen?"],
  ])("says in step %i that it is %s, and why", (number, word, reason) => {
    const step = stepOf(pageOf(aTroubledScene()), number);
    expect(step).toContain(`<b class="word">${word}</b>`);
    expect(step).toContain(reason);
  });

  it("shows an answered question with who answered it, and asks nothing once the run has ended", () => {
    const html = pageOf(anEndedScene());
    expect(stepOf(html, 4)).toContain("scrape was late");
    expect(html).not.toContain("How to answer");
  });

  it("holds text of others as text, and stays small whatever its length", () => {
    const html = pageOf(aHostileScene());
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src=x");
    expect(html.length).toBeLessThan(120_000);
  });
});
