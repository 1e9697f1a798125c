import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { median } from "./statistics.ts";

/** What every side of a comparison tells of itself besides what came of it. */
export const sideUsage = z.object({ ms: z.number(), peakMb: z.number() });

/** What the rounds came to. */
export interface Comparison<Row> {
  /** Of a process that only makes the input. */
  readonly input: Row;
  readonly sides: readonly {
    readonly side: "reference" | "product";
    /** Of the last round; what comes of it is the same in each. */
    readonly row: Row;
    /** Median of the rounds. */
    readonly seconds: number;
    /** Median peak of the process beyond what the input alone takes. */
    readonly memoryMb: number;
  }[];
}

/** Runs `program`, a file beside this one, for reference and product on the same input, each round in processes of their own, one after the other. */
export function runRounds<Row extends z.infer<typeof sideUsage>>(
  program: string,
  volume: number,
  rounds: number,
  schema: z.ZodType<Row>,
): Comparison<Row> {
  const run = (side: string): Row => {
    const args = ["--expose-gc", join(import.meta.dirname, program), side, String(volume)];
    return schema.parse(JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })));
  };
  const input = run("nothing");
  const measured = Array.from({ length: rounds }, (_, round) =>
    round % 2 === 0 ? { reference: run("reference"), product: run("product") } : { product: run("product"), reference: run("reference") },
  );
  return {
    input,
    sides: (["reference", "product"] as const).flatMap((side) => {
      const own = measured.map((round) => round[side]);
      return own.slice(-1).map((row) => ({
        side,
        row,
        seconds: median(own.map(({ ms }) => ms)) / 1000,
        memoryMb: median(own.map(({ peakMb }) => peakMb)) - input.peakMb,
      }));
    }),
  };
}
