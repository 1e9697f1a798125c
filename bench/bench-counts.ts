import { join } from "node:path";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { countClaims, countGrowth, type GrowthLine } from "./open-run-growth.ts";
import { createWorkFolder, startRedis } from "./programs.ts";
import { countRunCosts, type RunCosts, runCostTargets } from "./run-costs.ts";

/** What was counted about runs. Nothing of it depends on the machine or its load. */
export interface RunCounts {
  readonly sizes: readonly number[];
  readonly costs: RunCosts;
  readonly growth: readonly GrowthLine[];
  readonly claims: readonly { readonly workers: number; readonly perRun: number }[];
}

const maxClaimsPerRun = 1.1;

/** Counts the costs of a run, what grows with open runs, and the claims of 1, 4 and 16 workers. */
export async function benchCounts(sizes: readonly number[]): Promise<RunCounts> {
  const costs = await countRunCosts(500, 4, join(import.meta.dirname));
  using folder = createWorkFolder();
  await using server = await startRedis(folder.path, "everysec");
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  try {
    const growth = await countGrowth(redis, sizes);
    const claims: { readonly workers: number; readonly perRun: number }[] = [];
    for (const workers of [1, 4, 16]) claims.push({ workers, perRun: await countClaims(redis, workers, 800) });
    return { sizes, costs, growth, claims };
  } finally {
    redis.disconnect();
  }
}

/** One line of the table: what was counted, what is wanted, and whether that holds; undefined: nothing is wanted of it. */
export interface CountLine {
  readonly what: string;
  readonly counted: string;
  readonly target: string;
  readonly holds?: boolean;
}

/** The lines with their verdicts. */
export function judgeCounts({ sizes, costs, growth, claims }: RunCounts): readonly CountLine[] {
  const most = (what: string, value: number, target: number): CountLine => ({
    what,
    counted: String(Math.round(value * 100) / 100),
    target: `<= ${target}`,
    // A sweep and a poll of BullMQ may fall into the count.
    holds: value <= target * 1.02,
  });
  return [
    most("scripts of a run of five steps", costs.scripts, runCostTargets.scripts),
    most("SHA-256 of a run of five steps", costs.hashes, runCostTargets.hashes),
    most("bytes of the append-only file of a run of five steps", costs.writtenBytes, runCostTargets.writtenBytes),
    ...growth.map(({ work, when, commands, max }) => ({
      what: `${work} (${when}), commands at ${sizes.join(", ")} open runs`,
      counted: commands.join(", "),
      target: max === undefined ? "none: reads every open run" : `<= ${max}, flat`,
      ...(max !== undefined && { holds: Math.max(...commands) <= max && new Set(commands).size === 1 }),
    })),
    ...claims.map(({ workers, perRun }) =>
      most(`claims for each run won, ${workers} worker${workers === 1 ? "" : "s"}`, perRun, maxClaimsPerRun),
    ),
  ];
}

/** The lines as a table for people. */
export function renderCounts(lines: readonly CountLine[]): string {
  const rows = [
    ["counted", "", "target", "verdict"],
    ...lines.map(({ what, counted, target, holds }) => [what, counted, target, holds === undefined ? "-" : holds ? "holds" : "MISSED"]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return `${rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n")}\n\n`;
}
