import { describe, expect, it } from "@jest/globals";
import { createRandom } from "../../core/random.ts";
import { decideSequentially, sequenceFactor } from "./sequential-decision.ts";

/** Looks at two arms again and again until something is decided; answers the share of each end and the median number of tickets. */
function simulate(
  baseline: number,
  candidate: number,
  { runs = 400, share = 0.5, margin = 0.05, planned = 1500, most = 4000, look = 20 } = {},
) {
  const random = createRandom(Math.round(1e6 * candidate) + look);
  const ends = { promote: 0, rollback: 0, hold: 0, continue: 0 };
  const lengths: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const candidates = { tickets: 0, successes: 0 };
    const others = { tickets: 0, successes: 0 };
    for (let ticket = 1; ; ticket += 1) {
      const isCandidate = random() < share;
      const arm = isCandidate ? candidates : others;
      arm.tickets += 1;
      if (random() < (isCandidate ? candidate : baseline)) arm.successes += 1;
      if (ticket % look !== 0) continue;
      const { decision } = decideSequentially(candidates, others, { margin, planned, most });
      if (decision === "continue") continue;
      ends[decision] += 1;
      lengths.push(ticket);
      break;
    }
  }
  const median = lengths.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
  return { promoted: ends.promote / runs, rolledBack: ends.rollback / runs, held: ends.hold / runs, median };
}

// Success ratio 0.80, a look every 20 tickets, margin 5 points.
describe("decisions after every look", () => {
  it("hardly ever roll an equal version back, and promote it in nine of ten cases", () => {
    const { promoted, rolledBack, median } = simulate(0.8, 0.8);
    expect(rolledBack).toBeLessThan(0.05);
    expect(promoted).toBeGreaterThan(0.87);
    expect(median).toBeLessThan(1900);
  });

  it("hardly ever promote a version that is worse by the margin", () => {
    expect(simulate(0.8, 0.75).promoted).toBeLessThan(0.05);
  });

  it("always find a version that is clearly worse, and soon", () => {
    const worse = simulate(0.8, 0.7);
    expect(worse.rolledBack).toBeGreaterThan(0.99);
    expect(Math.abs(worse.median - 520)).toBeLessThan(120);
    const much = simulate(0.8, 0.6, { runs: 200 });
    expect(much.rolledBack).toBe(1);
    expect(Math.abs(much.median - 200)).toBeLessThan(60);
  });

  it("promote a better version sooner than an equal one", () => {
    const better = simulate(0.8, 0.83);
    expect(better.promoted).toBeGreaterThan(0.98);
    expect(Math.abs(better.median - 640)).toBeLessThan(150);
  });

  it("hold when nothing was shown in the time that there is, and never promote for want of tickets", () => {
    expect(
      decideSequentially({ tickets: 29, successes: 29 }, { tickets: 971, successes: 800 }, { margin: 0.1, planned: 600, most: 1000 })
        .decision,
    ).toBe("hold");
    expect(
      decideSequentially({ tickets: 0, successes: 0 }, { tickets: 0, successes: 0 }, { margin: 0.1, planned: 600, most: 1000 }).decision,
    ).toBe("continue");
    expect(simulate(0.8, 0.77, { most: 200, runs: 100 }).held).toBeGreaterThan(0.8);
  });

  it("end a catastrophe after ten tickets, and hardly ever an equal version that begins badly", () => {
    const baseline = { tickets: 400, successes: 320 };
    const policy = { margin: 0.1, planned: 600, most: 1000 };
    expect(decideSequentially({ tickets: 10, successes: 4 }, baseline, policy).decision).toBe("rollback");
    expect(decideSequentially({ tickets: 10, successes: 5 }, baseline, policy).decision).toBe("continue");
    expect(decideSequentially({ tickets: 9, successes: 0 }, baseline, policy).decision).toBe("continue");
    expect(decideSequentially({ tickets: 10, successes: 0 }, { tickets: 29, successes: 29 }, policy).decision).toBe("continue");
    const random = createRandom(77);
    let ended = 0;
    for (let run = 0; run < 2000; run += 1) {
      const arm = { tickets: 0, successes: 0 };
      for (; arm.tickets < 30; ) {
        arm.tickets += 1;
        if (random() < 0.8) arm.successes += 1;
        if (decideSequentially(arm, baseline, policy).decision !== "rollback") continue;
        ended += 1;
        break;
      }
    }
    expect(ended / 2000).toBeLessThan(0.025);
  });

  it("rest on an interval that is narrowest for its length about the planned number", () => {
    const factor = (n: number, planned: number) => sequenceFactor(n, planned, 0.05);
    expect(factor(800, 800)).toBeLessThan(factor(800, 100));
    expect(factor(800, 800)).toBeLessThan(factor(800, 10_000));
    // Looking at every ticket costs this much against looking once.
    expect(factor(800, 800) / (1.645 / Math.sqrt(800))).toBeLessThan(2);
  });
});
