import type { Measurement } from "./measure.ts";
import { median } from "./statistics.ts";

/** The numbers of one round, all measured within a few minutes of each other on the same machine. */
export interface Round {
  readonly floor: Measurement;
  readonly product: Measurement;
  /** Runs per second of the floor without its checkpoints: what BullMQ behind the same webhook does. */
  readonly bareRunsPerSecond: number;
  readonly floorEverysec: number;
  readonly productEverysec: number;
}

/** One line of the result. `ratio` is the median of the ratios inside each round. */
export interface Line {
  readonly target: string;
  readonly metric: string;
  readonly floor: string;
  readonly product: string;
  readonly ratio: number;
  readonly wanted: string;
}

/** The table of all targets from the rounds. */
export function summarize(rounds: readonly Round[]): readonly Line[] {
  const compare = (target: string, metric: string, wanted: string, digits: number, pick: (side: Measurement) => number): Line =>
    line(
      target,
      metric,
      wanted,
      digits,
      rounds.map(({ floor, product }) => [pick(floor), pick(product)]),
    );
  const line = (target: string, metric: string, wanted: string, digits: number, pairs: readonly (readonly [number, number])[]): Line => ({
    target,
    metric,
    floor: median(pairs.map(([floor]) => floor)).toFixed(digits),
    product: median(pairs.map(([, product]) => product)).toFixed(digits),
    ratio: median(pairs.map(([floor, product]) => product / floor)),
    wanted,
  });
  return [
    compare("1", "five-step runs per second, one alert per POST", "ratio >= 0.75", 0, (side) => side.runsPerSecond),
    compare("2", "CPU ms per run, our processes and Redis", "ratio <= 1.33", 2, (side) => side.cpuMsPerRun),
    line(
      "3",
      "runs per second, share of bare BullMQ",
      "ratio >= 0.80",
      0,
      rounds.map((round) => [round.bareRunsPerSecond, round.product.runsPerSecond]),
    ),
    compare("4", "storm, 50 alerts per POST: runs per second", "ratio >= 0.75", 0, (side) => side.stormRunsPerSecond),
    compare("4", "storm: CPU ms per run", "", 2, (side) => side.stormCpuMsPerRun),
    compare("5", "storm: all acknowledged, ms", "ratio <= 1.6", 0, (side) => side.stormAllAcknowledged),
    compare("5", "storm: last first action, ms", "ratio <= 1.4", 0, (side) => side.stormLastFirstAction),
    compare("6", "acknowledged at 50/s, p50 ms", "<= 3.5", 1, (side) => side.acknowledgeP50),
    compare("6", "acknowledged at 50/s, p99 ms", "<= 10", 1, (side) => side.acknowledgeP99),
    compare("7", "alert to first action durable at 50/s, p50 ms", "<= 5", 1, (side) => side.firstActionP50),
    compare("7", "alert to first action durable at 50/s, p99 ms", "<= 12", 1, (side) => side.firstActionP99),
    compare("8", "alert to completion at 50/s, p50 ms", "<= 7", 1, (side) => side.completionP50),
    compare("8", "alert to completion at 50/s, p99 ms", "<= 16", 1, (side) => side.completionP99),
    line(
      "9",
      "floor: appendfsync always / everysec, runs per second",
      "",
      0,
      rounds.map((round) => [round.floorEverysec, round.floor.runsPerSecond]),
    ),
    line(
      "9",
      "product: appendfsync always / everysec, runs per second",
      "ratio >= 0.85",
      0,
      rounds.map((round) => [round.productEverysec, round.product.runsPerSecond]),
    ),
    compare("-", "memory of all processes after the load, MB (PSS)", "", 0, (side) => side.memoryMb),
    compare("-", "answers 503, tried again", "", 0, (side) => side.refused),
  ];
}

/** The lines as a table for people. */
export function renderReport(lines: readonly Line[]): string {
  const rows = [
    ["#", "metric", "floor", "product", "ratio", "wanted"],
    ...lines.map((line) => [
      line.target,
      line.metric,
      line.floor,
      line.product,
      Number.isFinite(line.ratio) ? line.ratio.toFixed(2) : "-",
      line.wanted,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ")}\n`,
    )
    .join("");
}
