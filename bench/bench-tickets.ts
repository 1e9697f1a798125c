import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { createWorkFolder, startRedis } from "./programs.ts";
import { median } from "./statistics.ts";

const sideSchema = z.object({ perSecond: z.number(), bytesPerTicket: z.number() });
const run = promisify(execFile);

const sides = ["bare", "floor", "product"] as const;
type SideName = (typeof sides)[number];

/** Shares of the bare worker by how many are worked on at once, and the share of the floor. Times decide nothing, so a miss is only told. */
const targets: { readonly [concurrency: number]: number } = { 1: 0.18, 8: 0.28, 32: 0.3 };
const floorTarget = 0.75;

/** How much is measured. */
export interface TicketVolume {
  /** Tickets that are worked on at each concurrency. */
  readonly worked: number;
  /** Tickets in the queue in the last measurement. */
  readonly backlog: number;
}

/** One line: medians over the rounds, `ratio` the median of the ratios inside each round. */
export interface TicketLine {
  readonly concurrency: number;
  readonly queued: number;
  readonly barePerSecond: number;
  /** A BullMQ worker with three fenced scripts per ticket. */
  readonly floorPerSecond: number;
  readonly productPerSecond: number;
  /** To the bare worker, and to the floor. */
  readonly ratio: number;
  readonly floorRatio: number;
  readonly bareBytesPerTicket: number;
  readonly productBytesPerTicket: number;
}

/**
 * Tickets per second through admission, ledger and checkpoint, beside a BullMQ worker that does nothing and one that runs three fenced scripts, at 1, 8 and 32
 * at once and with a long queue. Each side has a process and a redis-server of its own, appendfsync always; rounds alternate which comes first.
 */
export async function benchTickets({ worked, backlog }: TicketVolume, rounds: number, say: (text: string) => void): Promise<TicketLine[]> {
  const lines: TicketLine[] = [];
  for (const [concurrency, queued] of [
    [1, worked],
    [8, worked],
    [32, worked],
    [8, backlog],
  ] as const) {
    const measured = [];
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? sides : sides.toReversed();
      const none = { perSecond: 0, bytesPerTicket: 0 };
      const results = { bare: none, floor: none, product: none };
      for (const side of order) results[side] = await measure(side, concurrency, worked, queued);
      measured.push(results);
      say(
        `tickets, ${concurrency} at once, ${queued} queued: bare ${results.bare.perSecond.toFixed(0)}/s, floor ${results.floor.perSecond.toFixed(0)}/s, product ${results.product.perSecond.toFixed(0)}/s`,
      );
    }
    lines.push({
      concurrency,
      queued,
      barePerSecond: median(measured.map(({ bare }) => bare.perSecond)),
      productPerSecond: median(measured.map(({ product }) => product.perSecond)),
      floorPerSecond: median(measured.map(({ floor }) => floor.perSecond)),
      floorRatio: median(measured.map(({ floor, product }) => product.perSecond / floor.perSecond)),
      ratio: median(measured.map(({ bare, product }) => product.perSecond / bare.perSecond)),
      bareBytesPerTicket: median(measured.map(({ bare }) => bare.bytesPerTicket)),
      productBytesPerTicket: median(measured.map(({ product }) => product.bytesPerTicket)),
    });
  }
  return lines;
}

async function measure(side: SideName, concurrency: number, worked: number, queued: number) {
  using folder = createWorkFolder();
  await using redis = await startRedis(folder.path, "always");
  const args = [join(import.meta.dirname, "ticket-side.js"), side, redis.socketPath, String(concurrency), String(worked), String(queued)];
  const { stdout } = await run(process.execPath, args, { encoding: "utf8" });
  return sideSchema.parse(JSON.parse(stdout));
}

/** The lines as a table for people. */
export function renderTickets(lines: readonly TicketLine[]): string {
  const rows = lines.map((line) => {
    const { concurrency, queued, ratio, floorRatio } = line;
    const numbers = [line.barePerSecond, line.floorPerSecond, line.productPerSecond].map((value) => value.toFixed(0).padStart(10)).join("");
    const bytes = [line.bareBytesPerTicket, line.productBytesPerTicket].map((value) => value.toFixed(0).padStart(10)).join("");
    const target = targets[concurrency] ?? 0;
    const verdict = `${target.toFixed(2)} ${ratio >= target ? "met" : "missed"}, ${floorTarget} ${floorRatio >= floorTarget ? "met" : "missed"}`;
    return `${String(concurrency).padStart(7)} ${String(queued).padStart(7)}${numbers} ${ratio.toFixed(2).padStart(6)} ${floorRatio.toFixed(2).padStart(8)}${bytes}  ${verdict}\n`;
  });
  return `Tickets per second through admission, ledger and checkpoint, beside a BullMQ worker that does nothing (bare) and one with three fenced scripts (floor);\nbytes of Redis per queued ticket; targets of both ratios:\nat once  queued    bare/s   floor/s product/s / bare  / floor      bare   product  targets\n${rows.join("")}`;
}
