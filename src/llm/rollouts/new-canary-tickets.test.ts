import { expect, it } from "@jest/globals";
import { canarySettleMs, newCanaryTicketsSince } from "./new-canary-tickets.ts";

const rolledBackAt = 1_000_000;

/** Exposures of one rollout, by arm and time. */
function aStore(exposures: readonly { readonly arm: "canary" | "baseline"; readonly at: number }[]) {
  return {
    exposedSince: async (id: string, arm: string, since: number) =>
      id === "r_1" ? exposures.filter((one) => one.arm === arm && one.at >= since).length : 0,
  };
}

it.each([
  ["nothing is shown yet right after it", [], 0, { recent: undefined, sinceRollBack: 0 }],
  ["nothing is shown yet before the processes have asked again", [], canarySettleMs - 1, { recent: undefined, sinceRollBack: 0 }],
  ["none began since", [], canarySettleMs, { recent: 0, sinceRollBack: 0 }],
  ["one began at the moment itself, and none lately", [0], canarySettleMs + 1, { recent: 0, sinceRollBack: 1 }],
  ["some began late, and one lately", [10, 4000, 20_000], 21_000, { recent: 1, sinceRollBack: 3 }],
  ["those before it do not count", [-1, -5000], 60_000, { recent: 0, sinceRollBack: 0 }],
] as const)("after a roll-back: %s", async (_, exposed, afterMs, shown) => {
  const others = [{ arm: "baseline", at: rolledBackAt + afterMs } as const];
  const store = aStore([...exposed.map((ms) => ({ arm: "canary" as const, at: rolledBackAt + ms })), ...others]);
  expect(await newCanaryTicketsSince(store, "r_1", { rolledBackAt, now: rolledBackAt + afterMs })).toEqual(shown);
});
