import { describe, expect, it } from "@jest/globals";
import type { AuditEntry } from "../../../../packages/sdk/src/wire/audit.ts";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { aSecurityIncident, aSimulatedFeature, aSimulatedFinding } from "../../../../test/builders/a-security-incident.ts";
import { createActionBench, outputOf } from "../../../../test/builders/action-bench.ts";
import { aBudgetState, createFakeBudgetControl } from "../../../../test/fakes/fake-budget-control.ts";
import { createFakeClock } from "../../../../test/fakes/fake-clock.ts";
import { createActions } from "../../../app/action-registry.ts";
import type { ActionContext } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { createSimulatedFeatures } from "../../../rehearsal/simulated-features.ts";
import { isWhole } from "../build-evidence.ts";

type Incident = Parameters<typeof aSecurityIncident>[0];

/** One feature with its findings, over simulated systems; `effects` hears what changes. */
function aBench(incident: Incident = {}) {
  const bench = createActionBench(aBudgetState("checkout", { running: 1 }));
  const clock = createFakeClock(bench.clock.now());
  const effects: string[] = [];
  const { answer, ...features } = createSimulatedFeatures(aSecurityIncident(incident), clock, (line) => void effects.push(line));
  const audited: AuditEntry[] = [];
  const budgets = createFakeBudgetControl(aBudgetState("checkout", { running: 1 }));
  const ports = {
    ...bench.ports,
    ...features,
    evidence: { ...features.evidence, audit: { append: async (entry: AuditEntry) => void audited.push(entry) } },
    budgets,
    http: {
      refusal: () => undefined,
      request: async ({ url }: { url: string }) => answer(url) ?? { kind: "answered" as const, status: 200, headers: {}, body: "" },
    },
  };
  const context = (change: Partial<ActionContext> = {}) => bench.context({ clock, ...change });
  function bind(name: string, parameters: { readonly [key: string]: Json }, over: Partial<typeof ports> = {}) {
    const bound = createActions({ ...ports, ...over })
      .find(name)
      ?.bind(parameters);
    if (bound?.ok !== true) throw new Error(JSON.stringify(bound));
    return bound.action;
  }
  return { ports, clock, effects, audited, budgets, context, bind };
}

describe("disable-feature", () => {
  const assessed = async (bench: ReturnType<typeof aBench>, feature = "export") => {
    const assess = bench.bind("assess-severity", { feature });
    return outputOf(await assess.run(await assess.plan(bench.context()), bench.context()));
  };

  it("says what it will do, does it, and shows that it is done", async () => {
    const bench = aBench();
    expect(await assessed(bench)).toMatchObject({ class: "critical", contain: true, findings: 1, assessed: 1, known: true, blind: [] });
    const disable = bench.bind("disable-feature", { feature: "export" });
    const plan = await disable.plan(bench.context());
    expect(plan).toMatchObject({
      targets: ["feature/export"],
      changes: [
        { target: "flag/export", field: "state", before: "on", after: "off" },
        { target: "budget/checkout", field: "gate", before: "open", after: "paused" },
      ],
    });
    expect(outputOf(await disable.run(plan, bench.context()))).toMatchObject({
      needed: true,
      reason: "verdict",
      off: true,
      followers: 3,
      followers_current: 3,
      refused: true,
      called: false,
      gaps: [],
    });
    expect(bench.budgets.of("checkout").state.controls).toMatchObject({ gate: "paused", stopBefore: bench.clock.now() });
  });

  it("resumes after a crash between the flag and the gate, and doubles nothing", async () => {
    const bench = aBench();
    await assessed(bench);
    const crashed = {
      ...bench.budgets,
      compareAndSet: async (): Promise<never> => {
        throw new Error("crash");
      },
    };
    const first = bench.bind("disable-feature", { feature: "export" }, { budgets: crashed });
    const plan = await first.plan(bench.context());
    await expect(first.run(plan, bench.context())).rejects.toMatchObject({ failure: { applied: "unknown" } });
    expect(bench.effects).toEqual(["flag/export: on -> off"]);
    const disable = bench.bind("disable-feature", { feature: "export" });
    const { version } = bench.budgets.of("checkout").state.controls;
    for (let times = 0; times < 2; times += 1) expect(outputOf(await disable.run(plan, bench.context()))).toMatchObject({ off: true });
    expect(bench.effects).toEqual(["flag/export: on -> off"]);
    expect(bench.budgets.of("checkout").state.controls.version).toBe(version + 1);
  });

  it("contains what is exploited by what public feeds say, although its source does not", async () => {
    const facts = { knownExploited: false, epss: 0.01, cvss: "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N" };
    const bench = aBench({ findings: [aSimulatedFinding({ facts })] });
    expect(await assessed(bench)).toMatchObject({ contain: false });
    const verdict = { class: "high" as const, reasons: ["Exploitation is active: CISA lists it."], unknown: [], contain: true };
    const assess = bench.bind("assess-severity", { feature: "export" }, { assess: () => verdict });
    expect(outputOf(await assess.run(await assess.plan(bench.context()), bench.context()))).toMatchObject({ class: "high", contain: true });
    const disable = bench.bind("disable-feature", { feature: "export" });
    const output = outputOf(await disable.run(await disable.plan(bench.context()), bench.context()));
    expect(output).toMatchObject({ needed: true, reason: "verdict", off: true });
  });

  it("closes the gate although the system of flags is away", async () => {
    const bench = aBench();
    await assessed(bench);
    const away = async (): Promise<never> => {
      throw new StepFailure({ reason: "not_reachable", message: "The store of flags does not answer.", applied: "no" });
    };
    const flags = { read: away, setState: away, evaluate: away, followers: away };
    const disable = bench.bind(
      "disable-feature",
      { feature: "export" },
      { flagSwitches: { runbookd: flags, unleash: flags, flagd: flags } },
    );
    const plan = await disable.plan(bench.context());
    await expect(disable.run(plan, bench.context())).rejects.toMatchObject({
      failure: { reason: "not_reachable", applied: "unknown", message: expect.stringContaining("1 of 2 parts of export are off") },
    });
    expect(bench.budgets.of("checkout").state.controls.gate).toBe("paused");
    expect(await disable.probe?.(plan, bench.context())).toMatchObject({ output: { off: false, followers: 0 } });
  });

  it("replaces a pause that would end automatically, and leaves one that does not", async () => {
    const bench = aBench();
    await assessed(bench);
    bench.budgets.set("checkout", { gate: "paused", pausedUntil: bench.clock.now() + 1000, by: "anna", reason: "lunch" });
    const disable = bench.bind("disable-feature", { feature: "export" });
    await disable.run(await disable.plan(bench.context()), bench.context());
    const { controls } = bench.budgets.of("checkout").state;
    expect(controls).toMatchObject({ gate: "paused", by: expect.stringContaining("run:") });
    expect(controls.pausedUntil).toBeUndefined();
  });

  it.each<[string, Partial<Parameters<typeof aSimulatedFeature>[0] & object>, string]>([
    ["a process ignores the flag", { staleFollowers: 1 }, "1 of 3 processes have not read flag export"],
    ["no process reads the flag", { followers: 0 }, "No process is known to read flag export"],
    ["a trial request is served", { probe: "served" }, "was answered with 200"],
    ["there is no probe", { probe: "none" }, "has no probe"],
    ["there is no flag", { flags: [] }, "has no flag"],
    ["applications still serve requests", { requests: 7 }, "still served 7 requests"],
  ])("shows a gap when %s", async (_what, change, gap) => {
    const bench = aBench({ features: [aSimulatedFeature(change)] });
    await assessed(bench);
    const disable = bench.bind("disable-feature", { feature: "export" });
    const output = outputOf(await disable.run(await disable.plan(bench.context()), bench.context()));
    expect(JSON.stringify(output["gaps"])).toContain(gap);
    const proven = output["off"] === true && Number(output["followers"]) > 0 && output["followers_current"] === output["followers"];
    expect(proven && output["refused"] === true && output["called"] === false).toBe(false);
  });

  it("asks which feature is meant when none of that name is described, and takes the answer", async () => {
    const bench = aBench({
      findings: [aSimulatedFinding({ feature: "unknown" })],
      features: [aSimulatedFeature(), aSimulatedFeature({ name: "search", flags: ["search"] })],
    });
    await assessed(bench, "unknown");
    const disable = bench.bind("disable-feature", { feature: "unknown" });
    const plan = await disable.plan(bench.context());
    expect(plan).toMatchObject({ targets: ["feature/unknown"], changes: [] });
    expect(await disable.run(plan, bench.context())).toMatchObject({ kind: "ask", answers: ["export", "search", "none"] });
    expect(bench.effects).toEqual([]);
    expect(outputOf(await disable.run(plan, bench.context({ answer: "none" })))).toMatchObject({ needed: false, reason: "none_meant" });
    expect(bench.effects).toEqual([]);
    expect(outputOf(await disable.run(plan, bench.context({ answer: "search" })))).toMatchObject({
      needed: true,
      feature: "search",
      asked_for: "unknown",
    });
    expect(bench.effects).toEqual(["flag/search: on -> off"]);
  });
});

describe("disable-keys", () => {
  const secret = aSimulatedFinding({
    kind: "secret",
    weakness: { cwe: [], owasp: [] },
    facts: {},
    secret: { type: "litellm", validity: "active", key: "team-key" },
  });
  const key = { system: "litellm" as const, id: "team-key", undone: 0, served: false };

  it("looks again each minute until a gateway's cache writes nothing back", async () => {
    const bench = aBench({ features: [aSimulatedFeature({ keys: [{ ...key, undone: 1 }] })], findings: [secret] });
    const disable = bench.bind("disable-keys", { feature: "export" });
    const plan = await disable.plan(bench.context());
    expect(plan.changes).toEqual([{ target: "key/litellm/team-key", field: "state", before: "active", after: "disabled" }]);
    let result = await disable.run(plan, bench.context());
    for (let looks = 0; result.kind === "continue" && looks < 10; looks += 1) {
      expect(result.afterMs).toBe(60_000);
      await bench.clock.advance(result.afterMs);
      result = await disable.run(plan, bench.context({ progress: result.progress }));
    }
    expect(outputOf(result)).toMatchObject({ needed: true, keys: 1, disabled: 1, tried: 1, again: 1, refused: true });
    expect(bench.effects.filter((line) => line.endsWith("active -> disabled"))).toHaveLength(2);
  });

  it("is not done with a key at once where it has no cache, and is content with what its system shows where no request can be tried", async () => {
    const bench = aBench({ features: [aSimulatedFeature({ keys: [{ ...key, system: "anthropic" }] })], findings: [secret] });
    const disable = bench.bind("disable-keys", { feature: "export" });
    const result = await disable.run(await disable.plan(bench.context()), bench.context());
    expect(outputOf(result)).toMatchObject({ disabled: 1, tried: 0, refused: true });
  });

  it("shows a gap while a request with the key is served", async () => {
    const bench = aBench({ features: [aSimulatedFeature({ keys: [{ ...key, served: true }] })], findings: [secret] });
    const disable = bench.bind("disable-keys", { feature: "export" });
    const plan = await disable.plan(bench.context());
    const first = await disable.run(plan, bench.context());
    await bench.clock.advance(60_000);
    const progress = first.kind === "continue" ? first.progress : null;
    expect(outputOf(await disable.run(plan, bench.context({ progress })))).toMatchObject({
      refused: false,
      gaps: [expect.stringContaining("is still served")],
    });
  });
});

describe("keep-evidence", () => {
  it("seals what it keeps once, also after a crash, and masks secrets", async () => {
    const bench = aBench({ findings: [aSimulatedFinding({ title: `Leaks sk-ant-${"a1".repeat(12)}` })] });
    const keep = bench.bind("keep-evidence", { feature: "export" });
    const plan = await keep.plan(bench.context());
    const output = outputOf(await keep.run(plan, bench.context()));
    expect(output).toMatchObject({ sealed: true, entries: 1, omitted: 0, missing: [] });
    await keep.run(plan, bench.context());
    expect(bench.audited).toHaveLength(1);
    expect(bench.audited[0]).toMatchObject({ kind: "evidence_sealed", subject: output["evidence"], detail: { sha256: output["sha256"] } });
    const [id = ""] = await bench.ports.evidence.store.list(1);
    const kept = await bench.ports.evidence.store.read(id);
    expect(kept !== undefined && isWhole(kept)).toBe(true);
    expect(JSON.stringify(kept)).not.toContain("sk-ant-");
    expect(await keep.probe?.(plan, bench.context())).toMatchObject({ kind: "applied" });
    expect(await keep.probe?.(plan, bench.context({ idempotencyKey: "another" }))).toEqual({ kind: "not_applied" });
  });

  it("is not sealed while the audit log cannot be written, and names what could not be read", async () => {
    const bench = aBench({ findings: "unreadable" });
    const evidence = {
      ...bench.ports.evidence,
      audit: {
        append: async (): Promise<never> => {
          throw new Error("away");
        },
      },
    };
    const keep = bench.bind("keep-evidence", { feature: "export" }, { evidence });
    const plan = await keep.plan(bench.context());
    await expect(keep.run(plan, bench.context())).rejects.toThrow("away");
    expect(await keep.probe?.(plan, bench.context())).toEqual({ kind: "not_applied" });
    const again = bench.bind("keep-evidence", { feature: "export" });
    expect(outputOf(await again.run(plan, bench.context()))).toMatchObject({
      sealed: true,
      missing: [expect.stringContaining("cannot be read")],
    });
  });
});
