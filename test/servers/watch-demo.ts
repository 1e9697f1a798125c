import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { executePanels, type PanelResult } from "./execute-panels.ts";

const root = join(import.meta.dirname, "../..");

/** A few scrapes, so that what happened last is in Prometheus. */
const settleMs = 5000;

/** The folder of the dashboards that ship. */
export const dashboardFolder = join(root, "grafana/dashboards");

/** How the demo ended: its exit code, the lines that name a fault, and when it did not end well its last lines. */
export interface DemoEnding {
  readonly exitCode: unknown;
  readonly faults: readonly string[];
  readonly log: readonly string[];
}

/** The ending of a demo that found everything as promised. */
export const endedWell: DemoEnding = { exitCode: 0, faults: [], log: [] };

/** What was seen of a demo from outside. */
export interface WatchedDemo {
  readonly ending: DemoEnding;
  /** The last line of JSON that it printed; an empty object when it printed none. */
  readonly result: Readonly<Record<string, unknown>>;
  /** What its Prometheus answered to every query of the dashboards. */
  readonly panels: readonly PanelResult[];
}

/**
 * Runs the built demo with these arguments until it ends. A demo that stays for people to look at is asked for the `dashboards`, files of
 * {@link dashboardFolder}, and then interrupted once `until` has settled. `onLine` gets each line that it prints. Aborting `signal` kills it; then this rejects.
 */
export async function watchDemo(
  words: readonly string[],
  {
    dashboards = [],
    onLine,
    until,
    signal,
  }: {
    readonly dashboards?: readonly string[];
    readonly onLine?: (line: string) => void;
    readonly until?: Promise<unknown>;
    readonly signal: AbortSignal;
  },
): Promise<WatchedDemo> {
  const texts = dashboards.map((name) => readFileSync(join(dashboardFolder, name), "utf8"));
  const from = Date.now();
  const demo = spawn(process.execPath, [join(root, "dist/demo/main.js"), "--json", ...words], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
    signal,
    killSignal: "SIGKILL",
  });
  const gone = once(demo, "exit");
  const lines: string[] = [];
  let panels: readonly PanelResult[] = [];
  let prometheusUrl = "";
  for await (const line of createInterface({ input: demo.stdout })) {
    lines.push(line);
    onLine?.(line);
    prometheusUrl = /Prometheus (http:\/\/\S+)/.exec(line)?.[1] ?? prometheusUrl;
    if (!line.includes("until Ctrl-C")) continue;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    panels = await executePanels(texts, prometheusUrl, { from, to: Date.now(), stepSeconds: 2 });
    await until?.catch(() => undefined);
    demo.kill("SIGINT");
  }
  const [exitCode] = await gone;
  return {
    ending: { exitCode, faults: lines.filter((line) => line.startsWith("✘")), log: exitCode === 0 ? [] : lines.slice(-60) },
    result: z.record(z.string(), z.unknown()).parse(JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? "{}")),
    panels,
  };
}
