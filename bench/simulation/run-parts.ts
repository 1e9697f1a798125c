import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { runSeeds, type Simulate } from "./run-seeds.ts";

/** A range of seeds. */
export interface SeedRange {
  readonly from: number;
  readonly count: number;
}

/** What became of a range of seeds, over all processes. */
export interface PartsResult {
  readonly count: number;
  readonly steps: number;
  /** Seeds whose worlds broke a rule. */
  readonly failed: readonly number[];
  readonly processes: number;
}

const linesSchema = z.object({ count: z.number(), steps: z.number(), failed: z.array(z.number()) });
/** Seeds after which a process reports. */
const seedsPerReport = 500;
const maxProcesses = 2;
/** A process ends after this many seeds that failed. */
const maxFailed = 10;
/** A young generation in which a whole world has room, so that little of it is copied. */
const flags = ["--max-semi-space-size=32"];

/** What a process of its own does: executes its seeds, and prints one line of JSON for each five hundred of them. */
export async function runPart({ from, count }: SeedRange, world: Simulate): Promise<void> {
  let failures = 0;
  for (let next = from; next < from + count && failures < maxFailed; next += seedsPerReport) {
    const some = Math.min(seedsPerReport, from + count - next);
    const { count: done, steps, failed } = await runSeeds({ from: next, count: some, maxFailed, world });
    failures += failed.length;
    process.stdout.write(`${JSON.stringify({ count: done, steps, failed: failed.map(({ seed }) => seed) })}\n`);
  }
}

/** Executes the seeds in two processes, in one if the machine has one core. `more`: arguments of each; `report` is called whenever some have been executed. */
export async function runParts(
  { from, count }: SeedRange,
  more: readonly string[],
  report: (so: { readonly count: number; readonly failed: readonly number[] }) => void,
): Promise<PartsResult> {
  const processes = Math.min(count, maxProcesses, availableParallelism());
  const share = Math.ceil(count / processes);
  let done = 0;
  let steps = 0;
  const failed: number[] = [];
  await Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      const own = { from: from + index * share, count: Math.min(share, count - index * share) };
      const about = ["--part", "--from", String(own.from), "--seeds", String(own.count), ...more];
      const child = spawn(process.execPath, [...flags, join(import.meta.dirname, "sim.js"), ...about], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      for await (const line of createInterface({ input: child.stdout })) {
        const part = linesSchema.parse(JSON.parse(line));
        done += part.count;
        steps += part.steps;
        failed.push(...part.failed);
        report({ count: done, failed });
      }
      const code = await ended;
      if (code !== 0) throw new Error(`The process of the seeds from ${own.from} on ended with ${code}; see its message above.`);
    }),
  );
  return { count: done, steps, failed: failed.sort((one, other) => one - other), processes };
}
