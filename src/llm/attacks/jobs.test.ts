import { describe, expect, it } from "@jest/globals";
import { aCorpus, aRunner, attackedFeature, type Behavior } from "../../../test/builders/an-attack.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import type { Feature } from "../../core/feature.ts";
import { createMemoryAttackReplays } from "../../rehearsal/memory-attack-replays.ts";
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
  const deps: AttackPassDeps = {
    features: change.features ?? [attackedFeature],
    attackReplays,
    attackRunner: runner,
    attackCorpora: { read: async () => change.reading ?? { kind: "corpus", corpus: aCorpus() } },
    times: attackScheduleTimes,
    clock,
    log: { info: log("info"), warn: log("warn") },
  };
  const pass = async (attackRunner: AttackRunner = runner) => replayDueAttacks({ ...deps, attackRunner }, new AbortController().signal);
  return { clock, calls, lines, pass, attackReplays };
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
    await replayDueAttacks(
      {
        features,
        attackReplays: ended.attackReplays,
        attackRunner: aRunner(safe).runner,
        attackCorpora: { read: async () => ({ kind: "none" }) },
        times: attackScheduleTimes,
        clock: ended.clock,
        log: { info: () => undefined, warn: () => undefined },
      },
      controller.signal,
    );
    expect(await ended.attackReplays.scheduled()).toEqual([]);
  });
});
