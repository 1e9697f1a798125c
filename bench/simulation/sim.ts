import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { brokenVariants, checkModel, soundVariants } from "./check-model.ts";
import { exhaust } from "./exhaust.ts";
import { mutants } from "./mutants.ts";
import { failureText, parseFailure } from "./recorded-failure.ts";
import { runSeed, runSeeds, type Simulate } from "./run-seeds.ts";
import { recordedSchedule, type Schedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { simulatedDocuments } from "./simulated-documents.ts";
import { simulate, type WorldResult } from "./simulated-world.ts";
import { ticketMutants } from "./ticket-mutants.ts";
import { simulateTickets } from "./ticket-world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    replay: { type: "string" },
    mutants: { type: "boolean", default: false },
    model: { type: "boolean", default: false },
    exhaust: { type: "string" },
    document: { type: "string" },
    part: { type: "boolean", default: false },
    tickets: { type: "boolean", default: false },
  },
});
const world: Simulate = values.tickets ? simulateTickets : simulate;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const partSchema = z.object({ count: z.number(), steps: z.number(), failed: z.array(z.number()) });

if (values.replay !== undefined) await replay(values.replay);
else if (values.seed !== undefined) await tellSeed(Number(values.seed));
else if (values.mutants) await huntMutants();
else if (values.exhaust !== undefined) await exhaustAll(Number(values.exhaust));
else if (values.model) verifyModel();
else if (values.part) await runPart(Number(values.from), Number(values.seeds));
else if (values.seeds !== undefined) await runAll(Number(values.from), Number(values.seeds));
else {
  print(
    "Use --seeds N [--from SEED], --seed N or --replay FILE, each with --tickets for the other world, --mutants, --model or --exhaust FAULTS [--document N].",
  );
  process.exitCode = 2;
}

async function replay(file: string): Promise<void> {
  const { decisions } = parseFailure(readFileSync(file, "utf8"));
  tellWorld(await world(recordedSchedule(decisions)));
}

async function tellSeed(seed: number): Promise<void> {
  const result = await runSeed(seed, world);
  tellWorld(result);
  if (result.violation === undefined) return;
  const shrunken = await shrink(result.decisions, result.violation.rule, { world });
  const file = `simulation-${seed}.json`;
  writeFileSync(file, failureText({ seed, ...shrunken.result, decisions: shrunken.decisions }));
  print(`\nShrunken to ${shrunken.count} decisions in ${shrunken.tries} executions, written to ${file}:`);
  tellWorld(shrunken.result);
}

function tellWorld({ trace, violation, steps, elapsedMs, traceSha }: WorldResult): void {
  for (const line of trace) print(line.slice(0, 300));
  print(`${steps} steps, ${elapsedMs} ms of virtual time, trace ${traceSha}`);
  print(violation === undefined ? "No rule was broken." : `${violation.rule}: ${violation.what}`);
  if (violation !== undefined) process.exitCode = 1;
}

async function runPart(from: number, count: number): Promise<void> {
  const { count: done, steps, failed } = await runSeeds({ from, count, maxFailed: 10, world });
  print(JSON.stringify({ count: done, steps, failed: failed.map(({ seed }) => seed) }));
}

/** One process for each core; the seeds of each follow each other. */
async function runAll(from: number, count: number): Promise<void> {
  const started = performance.now();
  const processes = Math.min(count, Math.max(1, Math.min(2, availableParallelism())));
  const share = Math.ceil(count / processes);
  const parts = await Promise.all(
    Array.from({ length: processes }, async (_, index) => part(from + index * share, Math.min(share, count - index * share))),
  );
  const failed = parts.flatMap((one) => one.failed);
  const done = parts.reduce((sum, one) => sum + one.count, 0);
  const steps = parts.reduce((sum, one) => sum + one.steps, 0);
  const seconds = (performance.now() - started) / 1000;
  print(
    `${done} schedules from seed ${from}, ${steps} steps, ${seconds.toFixed(1)} s, ${(done / seconds).toFixed(0)} schedules a second on ${processes} processes`,
  );
  print(failed.length === 0 ? "0 violations" : `${failed.length} violations, at the seeds ${failed.join(", ")}; see one with --seed N`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

async function part(from: number, count: number): Promise<z.infer<typeof partSchema>> {
  const args = [
    join(import.meta.dirname, "sim.js"),
    "--part",
    "--from",
    String(from),
    "--seeds",
    String(count),
    ...(values.tickets ? ["--tickets"] : []),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return partSchema.parse(JSON.parse(text));
}

/** The first seed that finds each mutant. */
async function huntMutants(): Promise<void> {
  const maxSeeds = Number(values.seeds ?? "5000");
  print("| mutant | what is broken | rule that finds it | seeds until found | decisions after shrinking |\n|---|---|---|---:|---:|");
  let missed = 0;
  const all = [
    ...mutants.map((mutant) => ({
      name: mutant.name,
      says: mutant.says,
      world: async (schedule: Schedule) => simulate(schedule, { mutant }),
    })),
    ...ticketMutants.map((mutant) => ({
      name: mutant.name,
      says: mutant.says,
      world: async (schedule: Schedule) => simulateTickets(schedule, { mutant }),
    })),
  ];
  for (const mutant of all) {
    const { count, failed } = await runSeeds({ from: Number(values.from), count: maxSeeds, world: mutant.world });
    const [first] = failed;
    if (first?.result.violation === undefined) {
      missed += 1;
      print(`| \`${mutant.name}\` | ${mutant.says} | **not found** | ${count} | |`);
      continue;
    }
    const { rule } = first.result.violation;
    const { count: decisions } = await shrink(first.result.decisions, rule, { world: mutant.world, maxTries: 300 });
    print(`| \`${mutant.name}\` | ${mutant.says} | ${rule} | ${count} | ${decisions} |`);
  }
  print(missed === 0 ? `all ${all.length} found` : `${missed} of ${all.length} not found`);
  process.exitCode = missed === 0 ? 0 : 1;
}

/** Every world with at most this many faults. */
async function exhaustAll(maxFaults: number): Promise<void> {
  const documents = values.document === undefined ? simulatedDocuments.map((_, index) => index) : [Number(values.document)];
  for (const document of documents) {
    for (const replicas of [false, true]) {
      const { worlds, failed } = await exhaust({ document, replicas }, maxFaults);
      print(`document ${document}, ${replicas ? "with a replica" : "without a replica"}: ${worlds} worlds, ${failed.length} violations`);
      for (const { decisions, result } of failed.slice(0, 3))
        print(`${result.violation?.rule}: ${result.violation?.what} ${JSON.stringify(decisions)}`);
      if (failed.length > 0) process.exitCode = 1;
    }
  }
}

/** Visits every state of the model, and finds an error in each variant that lacks a part of the protocol. */
function verifyModel(): void {
  let wrong = 0;
  for (const [variants, isSound] of [
    [soundVariants, true],
    [brokenVariants, false],
  ] as const) {
    for (const macros of variants) {
      const result = checkModel(macros);
      if (result === undefined) {
        print("The model was not verified: install spin and a C compiler.");
        process.exitCode = 75;
        return;
      }
      const isExpected = (result.errors === 0) === isSound;
      if (!isExpected) wrong += 1;
      const name = macros.length === 0 ? "the protocol" : macros.join(" ");
      print(
        `${isExpected ? "ok   " : "WRONG"} ${name}: ${result.states} states, ${result.errors === 0 ? "no error" : "an error was found"}`,
      );
    }
  }
  process.exitCode = wrong === 0 ? 0 : 1;
}
