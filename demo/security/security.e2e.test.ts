import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { endedWell, type WatchedDemo, watchDemo } from "../../test/servers/watch-demo.ts";

const resultSchema = z.looseObject({
  low: z.object({ class: z.string(), disabled: z.boolean() }),
  class: z.string(),
  unknown: z.array(z.string()),
  foundToOffS: z.number(),
  leaksBefore: z.number(),
  leaksAfterOff: z.number(),
  servedAfterOff: z.number(),
  followers: z.string(),
  reproduced: z.boolean(),
  tests: z.object({ passed: z.number(), sha: z.string() }),
  replay: z.object({ tries: z.number(), hits: z.number(), bound: z.number() }),
  harmlessWorse: z.number(),
  approvalVoided: z.boolean(),
  deployed: z.string(),
  shares: z.array(z.number()),
  sourceState: z.string(),
  lostWebhookFound: z.boolean(),
  effectsRepeated: z.number(),
  outcome: z.string(),
});

/**
 * The demo as users run it, with real parts: redis-server, Prometheus, Alertmanager, an SMTP receiver, an application of three processes from a git repository, a
 * model server that obeys what it reads, a server like GitHub, and a worker that is killed with SIGKILL while it deploys. Needs the build. Plain git is shown by
 * `npm run test:long`.
 */
const over = new AbortController();

afterAll(() => over.abort());

describe("a leak of the prompt", () => {
  let demo: WatchedDemo;
  let result: z.output<typeof resultSchema> | undefined;

  beforeAll(async () => {
    demo = await watchDemo(["--scenario", "security", "--code-host", "github", "--kill-worker"], {
      dashboards: ["security.json"],
      signal: over.signal,
    });
    result = resultSchema.safeParse(demo.result).data;
  }, 660_000);

  it("is closed by the runbook, with every effect once", () => {
    expect(demo.ending).toEqual(endedWell);
    expect(result).toMatchObject({ outcome: "succeeded", effectsRepeated: 0, sourceState: "fixed", lostWebhookFound: true });
  });

  it("is contained within a minute in every process, and a harmless finding is not", () => {
    expect(result).toMatchObject({ low: { disabled: false }, class: "critical", followers: "3/3", leaksAfterOff: 0, servedAfterOff: 0 });
    expect(result?.unknown).toContain("cvss");
    expect(result?.foundToOffS).toBeLessThanOrEqual(60);
    expect(result?.leaksBefore).toBeGreaterThan(0);
  });

  it("is fixed by a commit that was attacked, tested and approved, and by no later one", () => {
    expect(result).toMatchObject({ reproduced: true, harmlessWorse: 0, approvalVoided: true, tests: { passed: 6 }, replay: { hits: 0 } });
    expect(result?.replay.tries).toBeGreaterThanOrEqual(60);
    expect(result?.replay.bound).toBeLessThan(0.05);
  });

  it("is followed by a deployment of new processes, and by a share that grows", () => {
    expect(result).toMatchObject({ deployed: "3/3", shares: [0.1, 0.5, 1] });
  });

  it("shows data in every panel of the dashboard Security", () => {
    expect(demo.panels.length).toBeGreaterThan(10);
    expect(demo.panels.filter(({ kind }) => kind !== "data").map(({ panel, expr, kind }) => `${kind} ${panel}: ${expr}`)).toEqual([]);
  });
});
