import { performance } from "node:perf_hooks";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { countCommands } from "../test/servers/count-commands.ts";
import { createWorkFolder, startRedis } from "./programs.ts";
import { median } from "./statistics.ts";
import { createUsageBenchLedger, seedUsage, usageWindow } from "./usage-events-workload.ts";

/** What one window of a fixed size costs, beside the number of events that are kept. */
export interface UsageEventsLine {
  readonly kept: number;
  /** Commands of Redis for one explanation, and bytes of their replies. */
  readonly commands: number;
  readonly bytes: number;
  /** Medians of the rounds. */
  readonly explainMs: number;
  readonly recordMs: number;
  /** Memory of Redis for one kept event. */
  readonly bytesPerEvent: number;
}

/** The cost of a window while little is kept and while much is, and the cost of explaining everything that is kept. */
export interface UsageEventsResult {
  readonly window: number;
  readonly lines: readonly UsageEventsLine[];
  readonly whole: { readonly events: number; readonly kind: string; readonly seconds: number; readonly heapMb: number };
}

/** Recorded for the time of one record; the window that is explained is before them. */
const recorded = 500;

/** Measures an explanation of `window` events, once among `few` kept events and once among `many`, and one of all of the many. */
export async function benchUsageEvents(
  { window, few, many }: { readonly window: number; readonly few: number; readonly many: number },
  rounds: number,
): Promise<UsageEventsResult> {
  const lines: UsageEventsLine[] = [];
  let whole: UsageEventsResult["whole"] | undefined;
  for (const kept of [few, many]) {
    using folder = createWorkFolder();
    await using server = await startRedis(folder.path, "everysec");
    const redis = connectRedis({ socketPath: server.socketPath }, "worker");
    try {
      const before = await memoryOf(redis);
      await seedUsage(redis, kept);
      const bytesPerEvent = ((await memoryOf(redis)) - before) / kept;
      const { explain, record } = await createUsageBenchLedger(redis, recorded);
      await explain(usageWindow(window));
      const { commands } = await countCommands(redis, async () => explain(usageWindow(window)));
      const explained: number[] = [];
      for (let round = 0; round < rounds; round += 1) explained.push(await msOf(async () => explain(usageWindow(window))));
      const recordMs = (await msOf(record)) / recorded;
      lines.push({ kept, commands: commands.total, bytes: commands.outputBytes, explainMs: median(explained), recordMs, bytesPerEvent });
      if (kept !== many) continue;
      const begin = performance.now();
      const { kind } = await explain(usageWindow(many));
      const heapMb = Math.round(process.memoryUsage().heapUsed / 1_048_576);
      whole = { events: many, kind, seconds: (performance.now() - begin) / 1000, heapMb };
    } finally {
      redis.disconnect();
    }
  }
  if (whole === undefined) throw new Error("nothing was measured");
  return { window, lines, whole };
}

/** In what the cost of a window depends on what is kept outside of it; empty: in nothing. */
export function growthOf({ lines }: Pick<UsageEventsResult, "lines">): readonly string[] {
  const [few, many] = lines;
  if (few === undefined || many === undefined) return ["nothing was compared"];
  return [
    ...(many.commands > few.commands ? [`${many.commands} commands instead of ${few.commands}`] : []),
    // The number of events that were ever added has more digits.
    ...(many.bytes > few.bytes + 64 ? [`${many.bytes} bytes instead of ${few.bytes}`] : []),
  ];
}

/** The result as a table for people. */
export function renderUsageEvents(result: UsageEventsResult): string {
  const [few, many] = result.lines;
  const rows = result.lines.map(
    ({ kept, commands, bytes, explainMs, recordMs, bytesPerEvent }) =>
      `${String(kept).padStart(9)} ${String(commands).padStart(9)} ${String(bytes).padStart(10)} ${explainMs.toFixed(0).padStart(11)} ${recordMs.toFixed(3).padStart(10)} ${bytesPerEvent.toFixed(0).padStart(12)}\n`,
  );
  const ratio = few !== undefined && many !== undefined ? (many.explainMs / few.explainMs).toFixed(2) : "?";
  const growth = growthOf(result);
  const { events, kind, seconds, heapMb } = result.whole;
  return [
    `Explaining a window of ${result.window} usage events:\n`,
    "     kept  commands      bytes  explain ms  record ms  bytes/event\n",
    ...rows,
    `Time of an explanation: ${ratio} times. ${growth.length === 0 ? "Commands and bytes do not grow with what is kept." : `They grow: ${growth.join("; ")}.`}\n`,
    `Explaining all ${events} events: ${kind}, ${seconds.toFixed(1)} s, ${heapMb} MB of heap.\n`,
  ].join("");
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function memoryOf(redis: { info(section: string): Promise<string> }): Promise<number> {
  return Number(/^used_memory:(\d+)/mu.exec(await redis.info("memory"))?.[1] ?? Number.NaN);
}
