import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchAttribution, differencesOf, renderAttribution } from "./bench-attribution.ts";
import { benchCounts, judgeCounts, renderCounts } from "./bench-counts.ts";
import { benchReplay, renderReplay } from "./bench-replay.ts";
import { benchStart, renderStart } from "./bench-start.ts";
import { benchTicketGrowth, growthOfTickets, renderTicketGrowth } from "./bench-ticket-growth.ts";
import { benchTickets, renderTickets } from "./bench-tickets.ts";
import { benchUsageEvents, growthOf, renderUsageEvents } from "./bench-usage-events.ts";
import { type Measurement, measureSaturation, measureSubject, pacedPerSecond, stormGroup, type Volume } from "./measure.ts";
import { createObserver } from "./observer.ts";
import { createWorkFolder, type Fsync } from "./programs.ts";
import { type Round, renderReport, summarize } from "./report.ts";
import { floorSide, productSide, type Side } from "./sides.ts";

const full: Volume = { warmUp: 500, saturation: 4000, storm: 10_000, pacedSeconds: 10 };
const quick: Volume = { warmUp: 200, saturation: 1000, storm: 2000, pacedSeconds: 3 };

const usage = `Usage: npm run bench -- [--rounds N] [--quick|--full] [--json] [--only start|counts|runs|replay|attribution|events|tickets]

Runs the product beside a floor: a small program of the same parts (express, zod, BullMQ, one fenced script call per step).
Both get a redis-server of their own with the same settings. Rounds alternate which side comes first; the table shows medians.
Tickets through admission, ledger and checkpoint run beside a BullMQ worker that does nothing and one with three fenced scripts, also with
100,000 of them queued. When one ticket costs over 2 % more scripts or commands with 100,000 queued than with 1,000, the exit code is 1.
The replay of 100,000 requests through a prompt cache runs beside a straightforward reference on the same requests.
So does the attribution of a rise of cost over 1,000,000 usage events; when the two do not find the same, the exit code is 1.
An explanation of 20,000 usage events is made while 20,000 and while 1,000,000 are kept: commands and bytes must be the same, else the exit
code is 1; then all 1,000,000 are explained at once.
What a run costs is counted, and what is done about open runs with 1,000, 10,000 and 100,000 of them (--full: 1,000,000 too): each line has
its target and its verdict, and when one misses, the exit code is 1.
Starting --version, --help and lint is measured beside a bare node.
`;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "3" },
      quick: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const count = Number(values.rounds);
  if (values.help || !Number.isInteger(count) || count < 1) {
    process.stdout.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const isWanted = (section: string) => values.only === undefined || values.only === section;
  if (isWanted("start")) {
    const starts = values.quick ? 3 : 9;
    const costs = benchStart(starts);
    process.stdout.write(renderStart(costs, starts));
    if (values.json) process.stdout.write(`${JSON.stringify({ start: costs })}\n`);
  }
  if (isWanted("counts")) {
    const sizes = values.quick ? [1000, 10_000] : values.full ? [1000, 10_000, 100_000, 1_000_000] : [1000, 10_000, 100_000];
    const lines = judgeCounts(await benchCounts(sizes));
    process.stdout.write(renderCounts(lines));
    if (values.json) process.stdout.write(`${JSON.stringify({ counts: lines })}\n`);
    if (lines.some(({ holds }) => holds === false)) process.exitCode = 1;
  }
  if (isWanted("replay")) {
    const requests = values.quick ? 20_000 : 100_000;
    const results = benchReplay(requests, count);
    process.stdout.write(renderReplay(requests, results));
    if (values.json) process.stdout.write(`${JSON.stringify({ replay: { requests, results } })}\n`);
  }
  if (isWanted("attribution")) {
    const comparison = benchAttribution(values.quick ? 100_000 : 1_000_000, count);
    process.stdout.write(renderAttribution(comparison));
    if (values.json) process.stdout.write(`${JSON.stringify({ attribution: comparison })}\n`);
    if (differencesOf(comparison).length > 0) process.exitCode = 1;
  }
  if (isWanted("events")) {
    const result = await benchUsageEvents({ window: 20_000, few: 20_000, many: values.quick ? 100_000 : 1_000_000 }, count);
    process.stdout.write(renderUsageEvents(result));
    if (values.json) process.stdout.write(`${JSON.stringify({ events: result })}\n`);
    if (growthOf(result).length > 0) process.exitCode = 1;
  }
  if (isWanted("tickets")) {
    const lines = await benchTickets(values.quick ? { worked: 500, backlog: 10_000 } : { worked: 2000, backlog: 100_000 }, count, say);
    process.stdout.write(renderTickets(lines));
    if (values.json) process.stdout.write(`${JSON.stringify({ tickets: lines })}\n`);
    const growth = await benchTicketGrowth({ worked: 500, sizes: values.quick ? [1000, 10_000] : [1000, 10_000, 100_000] }, say);
    process.stdout.write(renderTicketGrowth(growth));
    if (values.json) process.stdout.write(`${JSON.stringify({ ticketGrowth: growth })}\n`);
    if (growthOfTickets(growth).length > 0) process.exitCode = 1;
  }
  if (!isWanted("runs")) return;
  const volume = values.quick ? quick : full;
  say(
    `${cpus().length} CPUs, ${count} rounds, ${volume.saturation} runs at saturation, storm of ${volume.storm} in POSTs of ${stormGroup}, ${volume.pacedSeconds} s at ${pacedPerSecond}/s.`,
  );
  say(
    "Five mutating steps per run. Redis on both sides: appendonly yes, appendfsync always (target 9 also everysec), noeviction, unix socket.",
  );
  say("Guardrail limits are lifted on the product's side: no cooldown, no rate limits, a target of its own for each run. Mode auto.");
  const rounds: Round[] = [];
  for (let number = 1; number <= count; number += 1) rounds.push(await runRound(number, volume));
  const lines = summarize(rounds);
  process.stdout.write(`\n${renderReport(lines)}`);
  if (values.json) process.stdout.write(`${JSON.stringify({ rounds, lines })}\n`);
}

async function runRound(number: number, volume: Volume): Promise<Round> {
  const order: readonly Side[] = number % 2 === 1 ? [floorSide(5), productSide()] : [productSide(), floorSide(5)];
  const measured = new Map<string, Measurement>();
  for (const side of order) {
    const result = await withSide(side, "always", (subject, observer) => measureSubject(subject, observer, volume));
    measured.set(side.name, result);
    say(
      `round ${number} ${side.name.padEnd(7)} ${result.runsPerSecond.toFixed(0)} runs/s, ${result.cpuMsPerRun.toFixed(2)} CPU ms/run, storm ${result.stormRunsPerSecond.toFixed(0)} runs/s, completion p50 ${result.completionP50.toFixed(1)} ms`,
    );
  }
  const everysec = new Map<string, number>();
  for (const side of order) everysec.set(side.name, await saturate(side, "everysec", volume));
  const bareRunsPerSecond = await saturate(floorSide(0), "always", volume);
  const [floor, product] = [measured.get("floor"), measured.get("product")];
  if (floor === undefined || product === undefined) throw new Error("a side was not measured");
  return {
    floor,
    product,
    bareRunsPerSecond,
    floorEverysec: everysec.get("floor") ?? Number.NaN,
    productEverysec: everysec.get("product") ?? Number.NaN,
  };
}

function saturate(side: Side, fsync: Fsync, volume: Volume): Promise<number> {
  return withSide(side, fsync, async (subject, observer) => {
    await measureSaturation(subject, observer, volume.warmUp);
    return (await measureSaturation(subject, observer, volume.saturation)).runsPerSecond;
  });
}

async function withSide<Result>(
  side: Side,
  fsync: Fsync,
  measure: (...args: [Awaited<ReturnType<Side["start"]>>, Awaited<ReturnType<typeof createObserver>>]) => Promise<Result>,
): Promise<Result> {
  using folder = createWorkFolder();
  await using observer = await createObserver(join(folder.path, "observer.sock"));
  await using subject = await side.start(fsync, observer.path);
  return await measure(subject, observer);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));
