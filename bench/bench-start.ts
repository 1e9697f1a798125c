import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { packageFolder } from "../src/cli/process-context.ts";
import { median } from "./statistics.ts";

/** CPU time, user and system, of starting a command. */
export interface StartCost {
  readonly command: string;
  readonly cpuMs: number;
  /** Beside a node that runs an empty script. */
  readonly ratio: number;
}

const commands = ["--version", "--help", "lint"];
// The child itself reports its time at the very end: the time of a child that has ended cannot be read from outside on every system.
const report = "import { writeSync } from 'node:fs'; process.on('exit', () => writeSync(3, JSON.stringify(process.cpuUsage())));";

/** Medians of that many starts, taken in turns, so that other load on the machine affects all of them alike. Throws when a command fails. */
export function benchStart(starts: number): readonly StartCost[] {
  const root = packageFolder();
  const program = join(root, "bin/runbookd.js");
  const lines = new Map([["bare node", ["--eval", ""]], ...commands.map((name): [string, string[]] => [name, [program, name]])]);
  const measured = new Map([...lines.keys()].map((name): [string, number[]] => [name, []]));
  for (let start = 0; start < starts; start += 1) for (const [name, args] of lines) measured.get(name)?.push(cpuMsOf(args, root));
  const bare = median(measured.get("bare node") ?? []);
  return [...measured].map(([command, times]) => ({ command, cpuMs: median(times), ratio: median(times) / bare }));
}

function cpuMsOf(args: readonly string[], cwd: string): number {
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const { status, output } = spawnSync(process.execPath, ["--import", preload, ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}`);
  const { user, system }: { user: number; system: number } = JSON.parse(output[3] ?? "");
  return (user + system) / 1000;
}

/** The costs as a table for people. */
export function renderStart(costs: readonly StartCost[], starts: number): string {
  const rows = costs.map(
    ({ command, cpuMs, ratio }) => `${command.padEnd(10)} ${cpuMs.toFixed(0).padStart(6)} ms  ratio ${ratio.toFixed(2).padStart(5)}\n`,
  );
  return `CPU of a command beside a node that runs an empty script, medians of ${starts} starts:\n${rows.join("")}`;
}
