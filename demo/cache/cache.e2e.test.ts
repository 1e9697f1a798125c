import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { endedWell, type WatchedDemo, watchDemo } from "../../test/servers/watch-demo.ts";

const billed = z.object({ tickets: z.number(), hit: z.number(), costPerTicketMicroUsd: z.number() });
const resultSchema = z.looseObject({
  outcome: z.string(),
  before: billed,
  predicted: z.object({ hit: z.number(), costPerTicketMicroUsd: z.number() }),
  after: billed,
  costReduction: z.number(),
  golden: z.object({ tickets: z.number(), unchanged: z.number() }),
});

/**
 * The demo as users run it, with real parts: redis-server, Prometheus, Alertmanager, an SMTP receiver, a model server whose cache follows the published rules, and a worker
 * killed with SIGKILL in the middle of the canary. Needs the build.
 */
let demo: WatchedDemo;
let result: z.output<typeof resultSchema> | undefined;
const over = new AbortController();

beforeAll(async () => {
  demo = await watchDemo(["--scenario", "cache", "--kill-worker"], { dashboards: ["prompt-caching.json"], signal: over.signal });
  result = resultSchema.safeParse(demo.result).data;
}, 360_000);

afterAll(() => over.abort());

describe("a prompt that is laid out so that nothing of it is cached", () => {
  it("is found, mended, tried, promoted, verified and reported", () => {
    expect(demo.ending).toEqual(endedWell);
    expect(result?.outcome).toBe("succeeded");
  });

  it("reads at least nine tenths of what was predicted and costs at least 70 % less a ticket, by the provider's bill", () => {
    const { before, predicted, after, costReduction = 0 } = result ?? {};
    expect(before?.hit).toBeLessThan(0.05);
    expect((after?.hit ?? 0) / (predicted?.hit ?? 1)).toBeGreaterThanOrEqual(0.9);
    expect(costReduction).toBeGreaterThanOrEqual(0.7);
  });

  it("answers every golden ticket as before", () => {
    expect(result?.golden.tickets).toBeGreaterThan(0);
    expect(result?.golden.unchanged).toBe(result?.golden.tickets);
  });
});

describe("the Prompt caching dashboard over that Prometheus", () => {
  it("shows data in every panel", () => {
    expect(demo.panels.length).toBeGreaterThan(10);
    expect(demo.panels.filter(({ kind }) => kind !== "data").map(({ panel, expr, kind }) => `${kind} ${panel}: ${expr}`)).toEqual([]);
  });
});
