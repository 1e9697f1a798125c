import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { median } from "./statistics.ts";

const sideSchema = z.object({
  read: z.number(),
  write5m: z.number(),
  write1h: z.number(),
  uncached: z.number(),
  ms: z.number(),
  peakMb: z.number(),
});

/** What one side needed and what came of it; medians over the rounds. Hit ratio 0 to 1, cost in USD at $3 a million input tokens. */
export interface ReplayResult {
  readonly side: "reference" | "product";
  readonly seconds: number;
  /** Peak of the process beyond what the requests themselves take. */
  readonly memoryMb: number;
  readonly hit: number;
  readonly costUsd: number;
}

/** Replays the same requests with a straightforward reference and with the product, each round in processes of their own, one after the other. */
export function benchReplay(requests: number, rounds: number): readonly ReplayResult[] {
  const run = (side: string) =>
    sideSchema.parse(
      JSON.parse(
        execFileSync(process.execPath, ["--expose-gc", join(import.meta.dirname, "replay-side.js"), side, String(requests)], {
          encoding: "utf8",
        }),
      ),
    );
  const input = run("nothing").peakMb;
  const measured = Array.from({ length: rounds }, (_, round) =>
    round % 2 === 0 ? { reference: run("reference"), product: run("product") } : { product: run("product"), reference: run("reference") },
  );
  return (["reference", "product"] as const).map((side) => {
    const own = measured.map((round) => round[side]);
    const [{ read, write5m, write1h, uncached } = { read: 0, write5m: 0, write1h: 0, uncached: 0 }] = own;
    const total = read + write5m + write1h + uncached;
    return {
      side,
      seconds: median(own.map(({ ms }) => ms)) / 1000,
      memoryMb: median(own.map(({ peakMb }) => peakMb)) - input,
      hit: total === 0 ? 0 : read / total,
      costUsd: (3 * (0.1 * read + 1.25 * write5m + 2 * write1h + uncached)) / 1_000_000,
    };
  });
}

/** The results as a table for people. */
export function renderReplay(requests: number, results: readonly ReplayResult[]): string {
  const rows = results.map(
    ({ side, seconds, memoryMb, hit, costUsd }) =>
      `${side.padEnd(10)} ${seconds.toFixed(2).padStart(7)} s  ${String(memoryMb).padStart(5)} MB  hit ${(100 * hit).toFixed(2)} %  $${costUsd.toFixed(2)}\n`,
  );
  return `Replay of ${requests} requests through a prompt cache, beside a straightforward reference:\n${rows.join("")}`;
}
