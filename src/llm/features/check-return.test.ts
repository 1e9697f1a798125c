import { describe, expect, it } from "@jest/globals";
import type { SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { aFlag } from "../../../test/builders/a-flag.ts";
import { checkReturn, type ReturnFacts } from "./check-return.ts";

const acceptedAt = 1_000_000_000;
const finding = (change: Partial<SecurityFinding>): SecurityFinding => ({
  id: "finding-1",
  source: "github-code-scanning",
  ref: "1",
  kind: "code",
  state: "open",
  title: "A ticket's text is obeyed",
  feature: "export",
  weakness: { cwe: [], owasp: [] },
  facts: {},
  location: {},
  updatedAt: acceptedAt - 60_000,
  firstSeenAt: acceptedAt - 60_000,
  verdict: null,
  ...change,
});
const facts = (change: Partial<ReturnFacts> = {}): ReturnFacts => ({
  runId: "run-1",
  acceptedAt,
  since: acceptedAt + 3_600_000,
  findings: [finding({})],
  reopened: [],
  flag: aFlag(),
  ...change,
});

describe("a feature that comes back", () => {
  it("may do so while the finding of its run is open", () => {
    expect(checkReturn(facts())).toEqual({ kind: "clear" });
    expect(checkReturn(facts({ since: undefined, flag: aFlag({ state: "off" }) }))).toEqual({ kind: "clear" });
  });

  it.each<[string, Partial<ReturnFacts>, string]>([
    ["a finding came since", { findings: [finding({ firstSeenAt: acceptedAt + 3_600_001 })] }, "reported"],
    [
      "a finding was opened again since",
      { findings: [finding({ updatedAt: acceptedAt + 3_600_001 })], reopened: ["finding-1"] },
      "opened again",
    ],
    [
      "its exploitation was observed again, which is no new finding",
      { findings: [finding({ facts: { observed: true }, updatedAt: acceptedAt + 3_600_001 })] },
      "observed again",
    ],
    ["its finding was dismissed", { findings: [finding({ state: "dismissed", updatedAt: acceptedAt + 1 })] }, "which does not fix it"],
    [
      "a finding that the run judged was dismissed",
      { findings: [finding({ state: "dismissed", runId: "run-1", updatedAt: 1 })] },
      "dismissed",
    ],
    [
      "its flag was switched off",
      { flag: aFlag({ state: "off", by: "run:run-1", reason: "critical" }) },
      "run:run-1 switched its flag off: critical",
    ],
    ["its flag is gone", { flag: undefined }, "no such flag"],
  ])("goes off again when %s", (_what, change, text) => {
    expect(checkReturn(facts(change))).toMatchObject({ kind: "broken", text: expect.stringContaining(text) });
  });

  it("is held where its findings cannot be read", () => {
    expect(checkReturn(facts({ findings: undefined }))).toMatchObject({ kind: "unseen" });
  });

  it("does not mind what was observed before it came back, or changed without being opened", () => {
    const findings = [finding({ facts: { observed: true } }), finding({ updatedAt: acceptedAt + 3_600_001 })];
    expect(checkReturn(facts({ findings }))).toEqual({ kind: "clear" });
  });

  it("does not mind what was dismissed long before the run, or fixed", () => {
    const old = finding({ state: "dismissed", updatedAt: 1 });
    expect(checkReturn(facts({ findings: [old, finding({ state: "fixed", updatedAt: acceptedAt + 1 })] }))).toEqual({ kind: "clear" });
  });
});
