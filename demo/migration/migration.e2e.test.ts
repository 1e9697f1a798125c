import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { endedWell, type WatchedDemo, watchDemo } from "../../test/servers/watch-demo.ts";

const resultSchema = z.looseObject({
  bad: z.object({ end: z.string(), canaryTickets: z.number(), newCanaryAfterS: z.number() }),
  good: z.object({
    end: z.string(),
    throughSlump: z.boolean(),
    costRatioUpper: z.number(),
    srmHeld: z.boolean(),
    holdbackTickets: z.number(),
  }),
  pooledWouldHave: z.string(),
  flips: z.number(),
  recomputedDifferences: z.number(),
  outcome: z.string(),
});

/**
 * The demo as users run it, with real parts: redis-server, Prometheus, Alertmanager, an SMTP receiver, a model server whose list says that a model is retired, three
 * processes of an application over the SDK, and a worker killed with SIGKILL while a rollout grows. Needs the build.
 */
let demo: WatchedDemo;
let result: z.output<typeof resultSchema> | undefined;
const over = new AbortController();

beforeAll(async () => {
  demo = await watchDemo(["--scenario", "migration", "--kill-worker"], { dashboards: ["model-rollout.json"], signal: over.signal });
  result = resultSchema.safeParse(demo.result).data;
}, 660_000);

afterAll(() => over.abort());

describe("a model that is about to be retired", () => {
  it("is left for another one, by the runbook alone", () => {
    expect(demo.ending).toEqual(endedWell);
    expect(result).toMatchObject({ outcome: "succeeded", good: { end: "promoted" } });
  });

  it("is not left for a model that shines on past tickets only, which few tickets find out", () => {
    expect(result?.bad.end).toBe("rolled_back");
    expect(result?.bad.canaryTickets).toBeLessThanOrEqual(60);
    expect(result?.bad.newCanaryAfterS).toBeLessThanOrEqual(60);
  });

  it("is left although both models do worse at that time, where a pooled test would have gone back", () => {
    expect(result?.good).toMatchObject({ throughSlump: true, srmHeld: true });
    expect(result?.good.costRatioUpper).toBeLessThan(1);
    expect(result?.good.holdbackTickets).toBeGreaterThan(0);
    expect(result?.pooledWouldHave).toBe("rollback");
  });

  it("is left by each ticket as salt and id say, as the application's own log shows", () => {
    expect(result).toMatchObject({ flips: 0, recomputedDifferences: 0 });
  });
});

describe("the Model rollout dashboard over that Prometheus", () => {
  it("shows data in every panel", () => {
    expect(demo.panels.length).toBeGreaterThan(5);
    expect(demo.panels.filter(({ kind }) => kind !== "data").map(({ panel, expr, kind }) => `${kind} ${panel}: ${expr}`)).toEqual([]);
  });
});
