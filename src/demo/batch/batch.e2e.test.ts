import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { executePanels, type PanelResult } from "../../testing/execute-panels.ts";

/**
 * The batch scenario, whole and with real parts: the command hands a file in, the runbook takes it through, two processes of workers are killed with
 * SIGKILL, the provider refuses, and one ticket cannot be read. It is the demo, so that what users are shown is what is tested. Needs the build.
 */
const root = join(import.meta.dirname, "../../..");

const dashboard = readFileSync(join(root, "grafana/dashboards/batches-and-tickets.json"), "utf8");
/** No ticket of this scenario tells a stage. */
const notFed = "llm_tickets_stalled";

/** A few scrapes, so that what happened last is in Prometheus. */
const settleMs = 3000;

let demo: ChildProcess;
let panels: readonly PanelResult[] = [];
let result: Readonly<Record<string, unknown>> = {};
let exitCode: unknown;
const lines: string[] = [];

beforeAll(async () => {
  const beganAt = Date.now();
  demo = spawn(process.execPath, [join(root, "dist/src/demo/main.js"), "--scenario", "batch", "--json"], {
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
  const parsed: unknown = JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? "{}");
  if (typeof parsed === "object" && parsed !== null) result = { ...parsed };
}, 240_000);

afterAll(() => {
  demo.kill("SIGKILL");
});

describe("a batch of 200 tickets", () => {
  it("is taken through its runbook although the provider refuses, workers die and one ticket cannot be read", () => {
    expect({ exitCode, faults: lines.filter((line) => line.startsWith("✘")), log: exitCode === 0 ? [] : lines.slice(-60) }).toEqual({
      exitCode: 0,
      faults: [],
      log: [],
    });
    expect(result).toMatchObject({ outcome: "succeeded", workersKilled: 2, poisonedTicket: "dead" });
    expect(Number(result["leastConcurrency"])).toBeLessThan(8);
  });

  it("leaves every ticket in exactly one final state, nothing reserved, and the cost within its limit and the provider's word", () => {
    expect(result).toMatchObject({ tickets: 200, states: { succeeded: 199, dead: 1 }, ledgerReservedMicroUsd: 0 });
    expect(result).toMatchObject({ providerBatch: { tickets: 40, succeeded: 40, expired: 10, resubmitted: 10 } });
    expect(Number(result["costMicroUsd"])).toBeGreaterThan(0);
    expect(Number(result["costMicroUsd"])).toBeLessThanOrEqual(Number(result["maxCostMicroUsd"]));
    expect(Number(result["providerDifferenceRatio"])).toBeLessThanOrEqual(0.02);
  });
});

describe("the Batches and tickets dashboard over that Prometheus", () => {
  it("shows data in every panel that this scenario feeds", () => {
    expect(panels.length).toBeGreaterThan(15);
    const empty = panels.filter(({ kind, expr }) => kind !== "data" && !expr.includes(notFed));
    expect(empty.map(({ panel, expr, kind }) => `${kind} ${panel}: ${expr}`)).toEqual([]);
  });
});
