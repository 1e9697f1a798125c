import { z } from "zod";
import { runRounds, sideUsage } from "./run-rounds.ts";

const rowSchema = sideUsage.extend({ read: z.number(), write5m: z.number(), write1h: z.number(), uncached: z.number() });

/** What one side needed and what came of it; medians over the rounds. Hit ratio 0 to 1, cost in USD at $3 a million input tokens. */
export interface ReplayResult {
  readonly side: "reference" | "product";
  readonly seconds: number;
  /** Peak of the process beyond what the requests themselves take. */
  readonly memoryMb: number;
  readonly hit: number;
  readonly costUsd: number;
}

/** Replays the same requests with a straightforward reference and with the product. */
export function benchReplay(requests: number, rounds: number): readonly ReplayResult[] {
  return runRounds("replay-side.js", requests, rounds, rowSchema).sides.map(
    ({ row: { read, write5m, write1h, uncached }, ...measured }) => {
      const total = read + write5m + write1h + uncached;
      return {
        ...measured,
        hit: total === 0 ? 0 : read / total,
        costUsd: (3 * (0.1 * read + 1.25 * write5m + 2 * write1h + uncached)) / 1_000_000,
      };
    },
  );
}

/** The results as a table for people. */
export function renderReplay(requests: number, results: readonly ReplayResult[]): string {
  const rows = results.map(
    ({ side, seconds, memoryMb, hit, costUsd }) =>
      `${side.padEnd(10)} ${seconds.toFixed(2).padStart(7)} s  ${String(memoryMb).padStart(5)} MB  hit ${(100 * hit).toFixed(2)} %  $${costUsd.toFixed(2)}\n`,
  );
  return `Replay of ${requests} requests through a prompt cache, beside a straightforward reference:\n${rows.join("")}`;
}
