import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { sampleCatalogue as catalogue } from "../../test/builders/sample-catalogue.ts";
import { checkRunbookSet, conflictsBetween } from "./check-runbook-set.ts";
import { parseRunbook } from "./parse/parse-runbook.ts";
import { matchTriggers } from "./runbook-set.ts";
import { createTriggerIndex } from "./trigger-index.ts";

function aRunbook(id: string, ...triggers: string[]): Runbook {
  const front = triggers.length === 0 ? "" : `---\ntriggers: ${JSON.stringify(triggers)}\n---\n`;
  const { runbook } = parseRunbook({
    file: `${id}.md`,
    source: `${front}# A\n\n## Scenario\nx\n\n## Procedure\n\n1. **A**: x\n`,
    catalogue,
  });
  if (runbook === undefined) throw new Error(`"${triggers.join()}" is no good sample`);
  return runbook;
}

describe("checkRunbookSet", () => {
  it("accepts runbooks that no alert can start both", () => {
    expect(checkRunbookSet([aRunbook("a", "A"), aRunbook("b", "B"), aRunbook("c", 'C{x="1"}'), aRunbook("d", 'C{x="2"}')])).toEqual([]);
  });

  it("names both triggers of an alert that two runbooks would take", () => {
    const [diagnostic, ...more] = checkRunbookSet([aRunbook("a", "A"), aRunbook("b", "B", '{alertname=~"A.*"}')]);
    expect(more).toEqual([]);
    expect(diagnostic).toMatchObject({ file: "b.md", rule: "ambiguous-trigger", message: expect.stringContaining("a.md:2") });
  });

  it("refuses two runbooks of one id", () => {
    expect(checkRunbookSet([aRunbook("a"), aRunbook("a")])).toMatchObject([{ rule: "repeated-runbook" }]);
  });
});

describe("the index of triggers", () => {
  const trigger = fc.constantFrom(
    "A",
    "B",
    "C",
    'A{x="1"}',
    'A{x!="1"}',
    '{alertname=~"A|B"}',
    '{alertname=~"A.*"}',
    '{alertname!="A",x="1"}',
    '{x="2"}',
    '{alertname="A",alertname="B"}',
  );
  const triggers = fc.uniqueArray(trigger, { maxLength: 3 });
  const runbooks = fc.array(triggers, { maxLength: 6 }).map((sets) => sets.map((set, index) => aRunbook(`r${index}`, ...set)));

  it("leaves out no conflict that comparing every pair finds", () => {
    fc.assert(
      fc.property(runbooks, (set) => {
        const everyPair = set.flatMap((one, index) => set.slice(0, index).flatMap((other) => conflictsBetween(one, other)));
        expect(checkRunbookSet(set)).toEqual(everyPair);
      }),
      { seed: 12, numRuns: 100 },
    );
  });

  it("finds every runbook that an alert can start, whatever was replaced and removed before", () => {
    const labels = fc.record({ alertname: fc.constantFrom("A", "B", "C", "Axe", ""), x: fc.constantFrom("", "1", "2") });
    fc.assert(
      fc.property(runbooks, runbooks, fc.nat({ max: 5 }), labels, (first, second, removed, alert) => {
        const index = createTriggerIndex();
        for (const runbook of [...first, ...second]) index.add(runbook);
        index.remove(`r${removed}`);
        const left = [...new Map([...first, ...second].map((runbook) => [runbook.id, runbook])).values()].filter(
          ({ id }) => id !== `r${removed}`,
        );
        const started = (set: readonly Runbook[]) => set.filter((one) => matchTriggers([one], alert) !== undefined).map(({ id }) => id);
        expect(started(index.startedBy(alert.alertname)).toSorted()).toEqual(started(left).toSorted());
      }),
      { seed: 12, numRuns: 100 },
    );
  });
});
