import { randomInt } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connectRedis } from "../../src/platform/redis/connection.ts";
import { startRedisServer } from "../../test/servers/redis-server.ts";
import { brokenVariants, checkModel, soundVariants } from "./check-model.ts";
import { compareWorlds } from "./compare-worlds.ts";
import { exhaust } from "./exhaust.ts";
import { intakeMutants } from "./intake-mutants.ts";
import { simulateIntake } from "./intake-world.ts";
import { mutants } from "./mutants.ts";
import { failureText, parseFailure } from "./recorded-failure.ts";
import { runPart, runParts } from "./run-parts.ts";
import { runSeed, runSeeds, type Simulate } from "./run-seeds.ts";
import { recordedSchedule, type Schedule } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { smallDocuments } from "./simulated-documents.ts";
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
    mutant: { type: "string" },
    model: { type: "boolean", default: false },
    exhaust: { type: "string" },
    document: { type: "string" },
    part: { type: "boolean", default: false },
    tickets: { type: "boolean", default: false },
    intake: { type: "boolean", default: false },
    differential: { type: "string" },
  },
});
const world: Simulate = values.tickets ? simulateTickets : values.intake ? simulateIntake : simulate;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.replay !== undefined) await replay(values.replay);
else if (values.seed !== undefined) await tellSeed(Number(values.seed));
else if (values.mutants) await huntMutants();
else if (values.exhaust !== undefined) await exhaustAll(Number(values.exhaust));
else if (values.differential !== undefined) await compareAll(Number(values.from), Number(values.differential));
else if (values.model) verifyModel();
else if (values.part) await runPart({ from: Number(values.from), count: Number(values.seeds) }, world);
else if (values.seeds !== undefined) await runAll(values.from === "fresh" ? randomInt(2 ** 31) : Number(values.from), Number(values.seeds));
else {
  print(
    "Use --seeds N [--from SEED, or --from fresh], --seed N or --replay FILE, each with --tickets or --intake for another world, --mutants [--mutant NAME,NAME], --model, --exhaust FAULTS [--document N], or --differential N.",
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

async function runAll(from: number, count: number): Promise<void> {
  const started = performance.now();
  const secondsPassed = (): number => (performance.now() - started) / 1000;
  let printedAt = 0;
  const more = values.tickets ? ["--tickets"] : values.intake ? ["--intake"] : [];
  const {
    count: done,
    steps,
    failed,
    processes,
  } = await runParts({ from, count }, more, (so) => {
    if (secondsPassed() - printedAt < 30) return;
    printedAt = secondsPassed();
    print(`${so.count} of ${count}, ${(so.count / printedAt).toFixed(0)} schedules a second, ${so.failed.length} violations`);
  });
  const seconds = secondsPassed();
  print(
    `${done} schedules from seed ${from}, ${steps} steps, ${seconds.toFixed(1)} s, ${(done / seconds).toFixed(0)} schedules a second on ${processes} processes`,
  );
  print(failed.length === 0 ? "0 violations" : `${failed.length} violations, at the seeds ${failed.join(", ")}; see one with --seed N`);
  process.exitCode = failed.length === 0 && done === count ? 0 : 1;
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
    ...intakeMutants.map((mutant) => ({
      name: mutant.name,
      says: mutant.says,
      world: async (schedule: Schedule) => simulateIntake(schedule, { mutant }),
    })),
  ];
  const picked = all.filter(({ name }) => values.mutant === undefined || values.mutant.split(",").includes(name));
  for (const mutant of picked) {
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
  print(missed === 0 ? `all ${picked.length} found` : `${missed} of ${picked.length} not found`);
  process.exitCode = missed === 0 ? 0 : 1;
}

/** Every world with at most this many faults. */
async function exhaustAll(maxFaults: number): Promise<void> {
  const documents = values.document === undefined ? smallDocuments.map((_, index) => index) : [Number(values.document)];
  let all = 0;
  for (const document of documents) {
    for (const replicas of [false, true]) {
      const started = performance.now();
      const { worlds, failed } = await exhaust({ document, replicas }, maxFaults);
      all += worlds;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      const place = `document ${document}, ${replicas ? "with a replica" : "without a replica"}`;
      print(`${place}: ${worlds} worlds in ${seconds} s, ${failed.length} violations`);
      for (const { decisions, result } of failed.slice(0, 3))
        print(`${result.violation?.rule}: ${result.violation?.what} ${JSON.stringify(decisions)}`);
      if (failed.length > 0) process.exitCode = 1;
    }
  }
  print(`${all} worlds, each with at most ${maxFaults} faults`);
}

/** Gives the calls of worlds to the scripts in a Redis of its own, and to the journal in memory. */
async function compareAll(from: number, count: number): Promise<void> {
  await using server = await startRedisServer();
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  const { worlds, calls, scripts, differences } = await compareWorlds(redis, { from, count });
  redis.disconnect();
  print(`${worlds} worlds, ${calls} calls of ${scripts} scripts, ${differences.length} differences`);
  for (const difference of differences.slice(0, 3)) print(JSON.stringify(difference).slice(0, 2000));
  process.exitCode = differences.length === 0 ? 0 : 1;
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
