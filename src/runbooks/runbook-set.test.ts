import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Runbook, Trigger } from "../../packages/sdk/src/wire/runbooks.ts";
import { sampleCatalogue as catalogue } from "../../test/builders/sample-catalogue.ts";
import { matches } from "../core/matcher.ts";
import { parseMatchers } from "../core/parse-matchers.ts";
import { parseRunbook } from "./parse/parse-runbook.ts";
import { canBothMatch, matchTriggers } from "./runbook-set.ts";

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

function aTrigger(source: string): Trigger {
  const parsed = parseMatchers(source);
  return { source, matchers: parsed.ok ? parsed.matchers : [], position: { line: 1, column: 1 } };
}

describe("matchTriggers", () => {
  const set = [aRunbook("a", "A", 'B{severity="critical"}'), aRunbook("b", 'B{severity!="critical"}'), aRunbook("by-hand")];

  it("finds the runbook of an alert, or none", () => {
    expect(matchTriggers(set, { alertname: "A" })?.id).toBe("a");
    expect(matchTriggers(set, { alertname: "B", severity: "critical" })?.id).toBe("a");
    expect(matchTriggers(set, { alertname: "B" })?.id).toBe("b");
    expect(matchTriggers(set, { alertname: "C" })).toBeUndefined();
    expect(matchTriggers(set, {})).toBeUndefined();
  });

  it("never starts a runbook without triggers", () => {
    expect(matchTriggers([aRunbook("by-hand")], { alertname: "A" })).toBeUndefined();
  });
});

describe("canBothMatch", () => {
  it.each([
    ["A", "B", false],
    ["A", 'A{x="1"}', true],
    ['A{x="1"}', 'A{x!="1"}', false],
    ['A{x=~"1|2"}', 'A{x=~"3|4"}', false],
    ['A{x=~"1|2"}', 'A{x=~"2|3"}', true],
    ['A{x=~"1|2"}', 'A{x!~"[12]"}', false],
    ['A{x=~"1.*"}', 'A{x=~"2.*"}', true],
    ['A{x=""}', 'A{x=~".+"}', false],
    ['A{x="1"}', 'A{y="1"}', true],
  ])("of %s and %s is %s", (a, b, expected) => {
    expect(canBothMatch(aTrigger(a), aTrigger(b))).toBe(expected);
    expect(canBothMatch(aTrigger(b), aTrigger(a))).toBe(expected);
  });

  it("is never false for triggers that one alert satisfies", () => {
    const value = fc.constantFrom("", "1", "2", "12");
    const matcher = fc.tuple(fc.constantFrom("x", "y"), fc.constantFrom('="1"', '!="1"', '=~"1|2"', '!~"1|2"', '=~"1.*"', '=""', '=~".+"'));
    const trigger = fc
      .array(matcher, { maxLength: 3 })
      .map((list) => aTrigger(`A{${list.map(([label, rest]) => label + rest).join(",")}}`));
    fc.assert(
      fc.property(trigger, trigger, value, value, (a, b, x, y) => {
        const labels = { alertname: "A", x, y };
        const doMatch = matches(a.matchers, labels) && matches(b.matchers, labels);
        expect(!doMatch || canBothMatch(a, b)).toBe(true);
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});
