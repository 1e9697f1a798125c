import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { endedWell, type WatchedDemo, watchDemo } from "../../test/servers/watch-demo.ts";

/** No ticket of this scenario tells a stage. */
const notFed = "llm_tickets_stalled";

/**
 * The batch scenario, whole and with real parts: the command hands a file in, the runbook takes it through, two processes of workers are killed with
 * SIGKILL, the provider refuses, and one ticket cannot be read. It is the demo, so that what users are shown is what is tested. Needs the build.
 */
let demo: WatchedDemo;
const over = new AbortController();

beforeAll(async () => {
  demo = await watchDemo(["--scenario", "batch"], { dashboards: ["batches-and-tickets.json"], signal: over.signal });
}, 240_000);

afterAll(() => over.abort());

describe("a batch of 200 tickets", () => {
  it("is taken through its runbook although the provider refuses, workers die and one ticket cannot be read", () => {
    expect(demo.ending).toEqual(endedWell);
    expect(demo.result).toMatchObject({ outcome: "succeeded", workersKilled: 2, poisonedTicket: "dead" });
    expect(Number(demo.result["leastConcurrency"])).toBeLessThan(8);
  });

  it("leaves every ticket in exactly one final state, nothing reserved, and the cost within its limit and the provider's word", () => {
    expect(demo.result).toMatchObject({ tickets: 200, states: { succeeded: 199, dead: 1 }, ledgerReservedMicroUsd: 0 });
    expect(demo.result).toMatchObject({ providerBatch: { tickets: 40, succeeded: 40, expired: 10, resubmitted: 10 } });
    expect(Number(demo.result["costMicroUsd"])).toBeGreaterThan(0);
    expect(Number(demo.result["costMicroUsd"])).toBeLessThanOrEqual(Number(demo.result["maxCostMicroUsd"]));
    expect(Number(demo.result["providerDifferenceRatio"])).toBeLessThanOrEqual(0.005);
    expect(Number(demo.result["unreportedMicroUsd"])).toBeLessThanOrEqual(Number(demo.result["estimatedMicroUsd"]));
  });
});

describe("the Batches and tickets dashboard over that Prometheus", () => {
  it("shows data in every panel that this scenario feeds", () => {
    expect(demo.panels.length).toBeGreaterThan(15);
    const empty = demo.panels.filter(({ kind, expr }) => kind !== "data" && !expr.includes(notFed));
    expect(empty.map(({ panel, expr, kind }) => `${kind} ${panel}: ${expr}`)).toEqual([]);
  });
});
