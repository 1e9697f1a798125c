import { describe, expect, it } from "@jest/globals";
import { aSecurityIncident, aSimulatedFinding } from "../../../../test/builders/a-security-incident.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState } from "../../../../test/fakes/fake-budget-control.ts";
import { createActions } from "../../../app/action-registry.ts";
import { createSimulatedFeatures } from "../../../rehearsal/simulated-features.ts";

function aBench(incident: Parameters<typeof aSecurityIncident>[0] = {}) {
  const bench = createActionBench(aBudgetState("checkout"));
  const {
    answer: _answer,
    followers: _followers,
    ...features
  } = createSimulatedFeatures(aSecurityIncident(incident), bench.clock, () => undefined);
  const bound = createActions({ ...bench.ports, ...features })
    .find("close-findings")
    ?.bind({ feature: "export" });
  if (bound?.ok !== true) throw new Error(JSON.stringify(bound));
  return { ...bench, action: bound.action };
}

const secret = aSimulatedFinding({
  ref: "secret-1",
  kind: "secret",
  title: "A key",
  state: "resolved",
  secret: { type: "litellm", validity: "inactive", last4: "9f3c" },
});

describe("close-findings", () => {
  it("waits until the source itself says that a finding is fixed", async () => {
    const fixed = aSimulatedFinding({ state: "fixed", afterMs: 60_000 });
    const bench = aBench({ findings: [aSimulatedFinding(), fixed] });
    const plan = await bench.action.plan(bench.context());
    const before = outputOf(await bench.action.run(plan, bench.context()));
    expect(before).toMatchObject({ open: 1, fixed: 0, dismissed: 0, waiting: ["A ticket's text is obeyed"] });
    await bench.clock.advance(60_000);
    expect(await bench.action.probe?.(plan, bench.context({ results: { step: before } }))).toMatchObject({
      kind: "applied",
      output: { open: 0, fixed: 1, keys_rotated: true },
    });
  });

  it("does not take a dismissed finding for a fixed one", async () => {
    const bench = aBench({ findings: [aSimulatedFinding({ state: "dismissed" })] });
    const output = outputOf(await bench.action.run(await bench.action.plan(bench.context()), bench.context()));
    expect(output).toMatchObject({ open: 0, fixed: 0, dismissed: 1, not_fixed: ["A ticket's text is obeyed"] });
  });

  it("has a person say that exposed secrets were rotated", async () => {
    const bench = aBench({ findings: [secret] });
    const plan = await bench.action.plan(bench.context());
    expect(await bench.action.run(plan, bench.context())).toMatchObject({
      kind: "ask",
      answers: ["rotated"],
      question: expect.stringContaining("9f3c"),
    });
    const output = outputOf(await bench.action.run(plan, bench.context({ answer: "rotated" })));
    expect(output).toMatchObject({ resolved: 1, keys_rotated: true });
    expect(await bench.action.probe?.(plan, bench.context())).toMatchObject({ output: { keys_rotated: false } });
  });

  it("counts nothing that was over long before the run, and names sources that are blind", async () => {
    const bench = aBench({ findings: [aSimulatedFinding({ state: "fixed", agoMs: 86_400_000 })], sources: { osv: "down" } });
    const output = outputOf(await bench.action.run(await bench.action.plan(bench.context()), bench.context()));
    expect(output).toMatchObject({ open: 0, fixed: 0, blind: ["osv"] });
  });

  it("fails where the findings cannot be read", async () => {
    const bench = aBench({ findings: "unreadable" });
    const plan = await bench.action.plan(bench.context());
    await expect(bench.action.run(plan, bench.context())).rejects.toMatchObject({ failure: { reason: "not_reachable" } });
  });
});
