import { describe, expect, it } from "@jest/globals";
import { aCorpus, anAttack, aRunner, attackedFeature, type Behavior, says, shas } from "../../../test/builders/an-attack.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import type { Feature } from "../../core/feature.ts";
import { createMemoryAttackReplays } from "../../rehearsal/memory-attack-replays.ts";
import { createMemorySecurityFindings } from "../../rehearsal/memory-security-findings.ts";
import { createAssessment } from "../findings/assess-finding.ts";
import { createFindingIntake } from "../findings/finding-intake.ts";
import type { CorpusReading } from "./attack.ts";
import type { AttackRunner } from "./attack-runner.ts";
import { type AttackPassDeps, attackScheduleTimes, replayDueAttacks } from "./jobs.ts";

const safe: Behavior = () => "I cannot.";

function createBench(behave: Behavior = safe, change: { readonly features?: readonly Feature[]; readonly reading?: CorpusReading } = {}) {
  const clock = createFakeClock(Date.UTC(2026, 0, 5));
  const attackReplays = createMemoryAttackReplays(clock);
  const { runner, calls } = aRunner((sent, isFix) => behave(sent, isFix));
  const lines: string[] = [];
  const log = (level: string) => (details: object, text: string) => void lines.push(`${level}: ${text} ${JSON.stringify(details)}`);
  const features = change.features ?? [attackedFeature];
  const store = createMemorySecurityFindings(clock);
  const running: { sha: string | undefined } = { sha: shas.deployed };
  const deps: AttackPassDeps = {
    features,
    deployedCommit: async () => running.sha,
    securityFindings: store,
    findingIntake: createFindingIntake({ store, features, assess: createAssessment(undefined, clock), clock }),
    attackReplays,
    attackRunner: runner,
    attackCorpora: { read: async () => change.reading ?? { kind: "corpus", corpus: aCorpus() } },
    times: attackScheduleTimes,
    clock,
    log: { info: log("info"), warn: log("warn") },
  };
  const pass = async (attackRunner: AttackRunner = runner) => replayDueAttacks({ ...deps, attackRunner }, new AbortController().signal);
  const findings = async () => store.list({}, 1000);
  const events = async () =>
    (await Promise.all((await findings()).map(async ({ id }) => store.events(id)))).flat().map(({ kind, value }) => `${kind} ${value}`);
  return { clock, calls, lines, pass, attackReplays, deps, running, findings, events };
}

describe("the weekly replay", () => {
  it("replays what is deployed once a week, and keeps what came of it", async () => {
    const { clock, calls, pass, attackReplays } = createBench();
    await pass();
    await pass();
    expect(calls).toEqual([expect.stringMatching(/^replay-[0-9a-f]{24}: 60 on deployed$/)]);
    expect(await attackReplays.scheduled()).toMatchObject([{ feature: "export", begunBy: "schedule", outcome: { hits: 0, tries: 60 } }]);
    await clock.advance(7 * dayMs - 1);
    await pass();
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    await pass();
    expect(calls).toHaveLength(2);
  });

  it("is repeated after a day when an attack has worked", async () => {
    const { clock, calls, pass, attackReplays } = createBench(() => "leaked");
    await pass();
    expect(await attackReplays.scheduled()).toMatchObject([{ outcome: { hits: 60 } }]);
    await clock.advance(dayMs);
    await pass();
    expect(calls).toHaveLength(2);
  });

  it("is not begun by two processes, and is begun again two hours after one that came to nothing", async () => {
    const { clock, calls, pass, lines, attackReplays } = createBench(() => ({ failed: "no docker" }));
    await Promise.all([pass(), pass()]);
    expect(calls).toHaveLength(1);
    expect(lines).toEqual([expect.stringContaining("no docker")]);
    expect(await attackReplays.scheduled()).toEqual([]);
    await clock.advance(2 * hourMs);
    await pass();
    expect(calls).toHaveLength(2);
  });

  it("waits for a runner that takes its time", async () => {
    const { clock, pass, attackReplays } = createBench();
    const { runner } = aRunner(safe);
    const slow: AttackRunner = {
      replay: async (request, call) =>
        call.progress === undefined ? { kind: "running", afterMs: 5000, progress: 1, sentence: "It works." } : runner.replay(request, call),
    };
    const passing = pass(slow);
    await clock.advance(5000);
    await passing;
    expect(await attackReplays.scheduled()).toHaveLength(1);
  });

  it("passes over features without a command, and says of a corpus that it is missing or wrong", async () => {
    const { attacks: _attacks, ...plain } = attackedFeature;
    const without = createBench(safe, { features: [plain] });
    await without.pass();
    expect([...without.calls, ...without.lines]).toEqual([]);
    const missing = createBench(safe, { reading: { kind: "none" } });
    await missing.pass();
    const wrong = createBench(safe, { reading: { kind: "unreadable", faults: ["export.yml:1:1: x"] } });
    await wrong.pass();
    expect([...missing.calls, ...wrong.calls]).toEqual([]);
    expect([missing.lines, wrong.lines]).toEqual([
      [expect.stringContaining("no corpus of attacks")],
      [expect.stringContaining("export.yml:1:1")],
    ]);
  });

  it("goes on with the next feature when one fails, and ends when the process does", async () => {
    const features = [attackedFeature, { ...attackedFeature, name: "search" }];
    const { pass, calls } = createBench(() => ({ failed: "x" }), { features });
    await pass();
    expect(calls).toHaveLength(2);
    const ended = createBench(safe, { features });
    const controller = new AbortController();
    controller.abort();
    await replayDueAttacks({ ...ended.deps, attackCorpora: { read: async () => ({ kind: "none" }) } }, controller.signal);
    expect(await ended.attackReplays.scheduled()).toEqual([]);
  });

  it("makes an open finding of an attack that works, once, which is fixed when it works no more", async () => {
    let answer = "leaked";
    const { clock, pass, findings, events } = createBench(() => answer);
    await pass();
    const [finding] = await findings();
    expect(finding).toMatchObject({
      source: "attack-replay",
      ref: "export/injection",
      feature: "export",
      state: "open",
      kind: "prompt",
      weakness: { owasp: ["LLM01:2025"] },
      facts: { reproduced: true },
      verdict: { reasons: [expect.stringContaining("a replay of the attack succeeded"), expect.anything(), expect.anything()] },
    });
    await clock.advance(dayMs);
    await pass();
    expect(await events()).toEqual(["created open", expect.stringMatching(/^judged /)]);
    answer = "I cannot.";
    await clock.advance(dayMs);
    await pass();
    const bound = "at most 4.9 % do";
    expect(await findings()).toMatchObject([{ state: "fixed", fixedBy: `commit ${shas.deployed}: none of 60 tries worked, ${bound}` }]);
    answer = "leaked";
    await clock.advance(7 * dayMs);
    await pass();
    expect(await findings()).toMatchObject([{ state: "open" }]);
  });

  it("attacks another commit at once while an attack works, and the same one a day later", async () => {
    let answer = "leaked";
    const { clock, calls, pass, running, findings } = createBench(() => answer);
    await pass();
    await clock.advance(60_000);
    await pass();
    running.sha = undefined;
    await pass();
    expect(calls).toHaveLength(1);
    running.sha = shas.fix;
    answer = "I cannot.";
    await pass();
    await pass();
    expect(calls).toHaveLength(2);
    expect(await findings()).toMatchObject([{ state: "fixed" }]);
  });

  it("dismisses a finding whose attack was taken out of the corpus, and leaves one whose tries came to nothing", async () => {
    const attacks = ["one", "two", "three"].map((id) => anAttack({ id, success: [says("leaked")] }));
    const reading = { kind: "corpus", corpus: aCorpus({ attacks }) } as const;
    const { clock, pass, findings, deps, attackReplays } = createBench(() => "leaked", { reading });
    await pass();
    expect((await findings()).map(({ ref, state }) => `${ref} ${state}`).toSorted()).toEqual([
      "export/one open",
      "export/three open",
      "export/two open",
    ]);
    await clock.advance(dayMs);
    const many = Array.from({ length: 12 }, (_, index) => anAttack({ id: `more-${index}` }));
    const corpus = aCorpus({ attacks: [...attacks.slice(0, 2), ...many] });
    const { runner } = aRunner(({ id }) => (id.startsWith("attack/one/") ? { failed: "cut off" } : "I cannot."));
    const attackCorpora = { read: async () => ({ kind: "corpus", corpus }) as const };
    await replayDueAttacks({ ...deps, attackCorpora, attackRunner: runner }, new AbortController().signal);
    expect(await attackReplays.scheduled()).toMatchObject([{ outcome: { hits: 0 } }]);
    expect((await findings()).map(({ ref, state }) => `${ref} ${state}`).toSorted()).toEqual([
      "export/one open",
      "export/three dismissed",
      "export/two fixed",
    ]);
  });

  it("has a finding for each of a bounded number of attacks, and says when more work", async () => {
    const attacks = Array.from({ length: 130 }, (_, index) => anAttack({ id: `a-${index}` }));
    const { pass, findings, lines } = createBench(() => "leaked", { reading: { kind: "corpus", corpus: aCorpus({ attacks }) } });
    await pass();
    expect(await findings()).toHaveLength(100);
    expect(lines.filter((line) => line.includes("More recorded attacks work"))).toHaveLength(1);
  });
});
