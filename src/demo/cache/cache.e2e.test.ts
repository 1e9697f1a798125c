import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { executePanels, type PanelResult } from "../../testing/execute-panels.ts";

/**
 * The demo as users run it, with real parts: redis-server, Prometheus, Alertmanager, an SMTP receiver, a model server whose cache follows the published rules, and a worker
 * killed with SIGKILL in the middle of the canary. Needs the build.
 */
const root = join(import.meta.dirname, "../../..");
const dashboard = readFileSync(join(root, "grafana/dashboards/prompt-caching.json"), "utf8");

const billed = z.object({ tickets: z.number(), hit: z.number(), costPerTicketMicroUsd: z.number() });
const resultSchema = z.looseObject({
  outcome: z.string(),
  before: billed,
  predicted: z.object({ hit: z.number(), costPerTicketMicroUsd: z.number() }),
  after: billed,
  costReduction: z.number(),
  golden: z.object({ tickets: z.number(), unchanged: z.number() }),
});

/** A few scrapes, so that what happened last is in Prometheus. */
const settleMs = 3000;

let demo: ChildProcess;
let panels: readonly PanelResult[] = [];
let result: z.output<typeof resultSchema> | undefined;
let exitCode: unknown;
const lines: string[] = [];

beforeAll(async () => {
  const beganAt = Date.now();
  demo = spawn(process.execPath, [join(root, "dist/src/demo/main.js"), "--scenario", "cache", "--json", "--kill-worker"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(demo, "exit");
  const { stdout, stderr } = demo;
  if (stdout === null || stderr === null) throw new Error("The demo has no output.");
  stderr.resume();
  let prometheusUrl = "";
  for await (const line of createInterface({ input: stdout })) {
    lines.push(line);
    prometheusUrl = /Prometheus (http:\/\/\S+)/.exec(line)?.[1] ?? prometheusUrl;
    if (!line.includes("until Ctrl-C")) continue;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    panels = await executePanels([dashboard], prometheusUrl, { from: beganAt, to: Date.now(), stepSeconds: 2 });
    demo.kill("SIGINT");
  }
  [exitCode] = await gone;
  result = resultSchema.safeParse(JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? "{}")).data;
}, 360_000);

afterAll(() => {
  demo.kill("SIGKILL");
});

describe("a prompt that is laid out so that nothing of it is cached", () => {
  it("is found, mended, tried, promoted, verified and reported", () => {
    expect({ exitCode, faults: lines.filter((line) => line.startsWith("✘")), log: exitCode === 0 ? [] : lines.slice(-60) }).toEqual({
      exitCode: 0,
      faults: [],
      log: [],
    });
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
    expect(panels.length).toBeGreaterThan(10);
    expect(panels.filter(({ kind }) => kind !== "data").map(({ panel, expr, kind }) => `${kind} ${panel}: ${expr}`)).toEqual([]);
  });
});
