import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import type { FaultKind } from "./faults.ts";
import { intakeMutants } from "./intake-mutants.ts";
import { simulateIntake } from "./intake-world.ts";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";
import { parseFailure } from "./recorded-failure.ts";
import { runSeed, runSeeds } from "./run-seeds.ts";
import { recordedSchedule, seededSchedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulated-world.ts";
import { ticketMutants } from "./ticket-mutants.ts";
import { simulateTickets } from "./ticket-world.ts";

const failures = join(import.meta.dirname, "failures");

/** Always the same, so that a change is judged by the same worlds before and after it; `npm test` executes 5,000 others each time. */
const firstSeed = 1_000_000;
const seedCount = 300;

it("does the same in every step when a seed is executed again", async () => {
  for (const seed of [3, 14, 15, 92]) {
    const [one, other] = [await runSeed(seed), await runSeed(seed)];
    expect(other.traceSha).toBe(one.traceSha);
    const again = await simulate(recordedSchedule(one.decisions));
    expect(again.traceSha).toBe(one.traceSha);
  }
});

it("tells one seed from another", async () => {
  const shas = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) shas.add((await runSeed(seed)).traceSha);
  expect(shas.size).toBe(20);
});

it.each([
  ["Date.now", () => Date.now()],
  ["Math.random", () => Math.random()],
  ["setTimeout", () => setTimeout(() => undefined, 1)],
  ["performance.now", () => performance.now()],
  ["AbortSignal.timeout", () => AbortSignal.timeout(1)],
  ["crypto.randomUUID", () => crypto.randomUUID()],
])("fails a world in which %s of the machine is used, also when its error is caught", async (_name, use) => {
  const hidden: Mutant = {
    name: "hidden",
    says: "",
    engine: (deps) => ({
      ...deps,
      guard: async (candidate, now) => {
        try {
          use();
        } catch {
          // As a library may.
        }
        return deps.guard(candidate, now);
      },
    }),
  };
  expect((await runSeed(7, async (schedule) => simulate(schedule, { mutant: hidden }))).violation?.rule).toBe("determinism");
});

it(`breaks no rule in ${seedCount} worlds`, async () => {
  const { failed } = await runSeeds({ from: firstSeed, count: seedCount });
  expect(failed.map(({ seed, result }) => ({ seed, violation: result.violation }))).toEqual([]);
}, 300_000);

it.each(readdirSync(failures))("breaks no rule any more in the world of %s", async (file) => {
  const { decisions } = parseFailure(readFileSync(join(failures, file), "utf8"));
  expect((await simulate(recordedSchedule(decisions))).violation).toBeUndefined();
});

it.each(["effect-before-intent", "no-epoch-check", "no-lock", "one-key-for-all"])(
  "finds the mutant %s, and shrinks it to twenty decisions at most",
  async (name) => {
    const mutant = mutants.find((one) => one.name === name);
    if (mutant === undefined) throw new Error(`There is no mutant ${name}.`);
    const { failed } = await runSeeds({ from: 1, count: 300, world: async (schedule) => simulate(schedule, { mutant }) });
    const rule = failed[0]?.result.violation?.rule ?? "";
    const { count, result, decisions } = await shrink(failed[0]?.result.decisions ?? [], rule, {
      world: async (schedule) => simulate(schedule, { mutant }),
    });
    expect(result.violation?.rule).toBe(rule);
    expect(count).toBeLessThanOrEqual(20);
    expect((await simulate(recordedSchedule(decisions))).violation).toBeUndefined();
  },
  300_000,
);

it.each<{ readonly says: string; readonly name: string; readonly faults: readonly FaultKind[] }>([
  { says: "an unfit store", name: "unfit-ignored", faults: ["unfit", "restart_store"] },
  { says: "two spellings of one target", name: "locked-as-spelled", faults: ["other"] },
  { says: "an authority that ended while its question was open", name: "authority-remembered", faults: ["authority"] },
  { says: "two workers of one name", name: "no-epoch-check", faults: ["namesake"] },
])(
  "breaks no rule with $says, and breaks one in the same worlds without the protection",
  async ({ name, faults }) => {
    const mutant = mutants.find((one) => one.name === name);
    if (mutant === undefined) throw new Error(`There is no mutant ${name}.`);
    const broken = await runSeeds({ from: 1, count: 400, world: async (schedule) => simulate(schedule, { mutant, faults }) });
    expect(broken.failed).toHaveLength(1);
    const sound = await runSeeds({ from: 1, count: broken.count, world: async (schedule) => simulate(schedule, { faults }) });
    expect(sound.failed).toEqual([]);
  },
  300_000,
);

it("starts one run for each episode, and tells it of its end, in 300 worlds of intake", async () => {
  const { failed } = await runSeeds({ from: firstSeed, count: 300, world: simulateIntake });
  expect(failed.map(({ seed, result }) => ({ seed, violation: result.violation }))).toEqual([]);
  const [one, other] = [await runSeed(5, simulateIntake), await runSeed(5, simulateIntake)];
  expect(other.traceSha).toBe(one.traceSha);
}, 300_000);

it.each(intakeMutants)(
  "finds that $says",
  async (mutant) => {
    const { failed } = await runSeeds({ from: 1, count: 500, world: async (schedule) => simulateIntake(schedule, { mutant }) });
    expect(failed).toHaveLength(1);
  },
  300_000,
);

it("keeps the money of tickets within its limit, and settles it, in 200 worlds of tickets", async () => {
  const { failed } = await runSeeds({ from: firstSeed, count: 200, world: simulateTickets });
  expect(failed.map(({ seed, result }) => ({ seed, violation: result.violation }))).toEqual([]);
  const [one, other] = [await runSeed(5, simulateTickets), await runSeed(5, simulateTickets)];
  expect(other.traceSha).toBe(one.traceSha);
}, 300_000);

it.each(ticketMutants)(
  "finds that $says",
  async (mutant) => {
    const { failed } = await runSeeds({ from: 1, count: 60, world: async (schedule) => simulateTickets(schedule, { mutant }) });
    expect(failed).toHaveLength(1);
  },
  300_000,
);

it("names each mutant once, and says what it breaks", () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(15);
  expect(mutants.filter(({ says }) => says === "")).toEqual([]);
});

it("draws the same decisions from a seed, and repeats a recording", () => {
  const draw = () => {
    const schedule = seededSchedule(9);
    return Array.from({ length: 50 }, (_, index) => (index < 5 ? schedule.pick(4) : schedule.next()));
  };
  expect(draw()).toEqual(draw());
  const recorded = recordedSchedule([5, 0, 7]);
  expect([recorded.pick(4), recorded.next(), recorded.next(), recorded.next()]).toEqual([1, 0, 7, 0]);
});
