import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { createWorkFolder, startRedis } from "./programs.ts";
import { median } from "./statistics.ts";

const sideSchema = z.object({ perSecond: z.number(), bytesPerTicket: z.number() });
const run = promisify(execFile);

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
  readonly productPerSecond: number;
  readonly ratio: number;
  readonly bareBytesPerTicket: number;
  readonly productBytesPerTicket: number;
}

/**
 * Tickets per second through admission, ledger and checkpoint, beside a BullMQ worker that does nothing, at 1, 8 and 32 at once and with a long queue.
 * Each side has a process and a redis-server of its own, appendfsync always; rounds alternate which comes first.
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
      const order = round % 2 === 0 ? (["bare", "product"] as const) : (["product", "bare"] as const);
      const results = { bare: { perSecond: 0, bytesPerTicket: 0 }, product: { perSecond: 0, bytesPerTicket: 0 } };
      for (const side of order) results[side] = await measure(side, concurrency, worked, queued);
      measured.push(results);
      say(
        `tickets, ${concurrency} at once, ${queued} queued: bare ${results.bare.perSecond.toFixed(0)}/s, product ${results.product.perSecond.toFixed(0)}/s`,
      );
    }
    lines.push({
      concurrency,
      queued,
      barePerSecond: median(measured.map(({ bare }) => bare.perSecond)),
      productPerSecond: median(measured.map(({ product }) => product.perSecond)),
      ratio: median(measured.map(({ bare, product }) => product.perSecond / bare.perSecond)),
      bareBytesPerTicket: median(measured.map(({ bare }) => bare.bytesPerTicket)),
      productBytesPerTicket: median(measured.map(({ product }) => product.bytesPerTicket)),
    });
  }
  return lines;
}

async function measure(side: "bare" | "product", concurrency: number, worked: number, queued: number) {
  using folder = createWorkFolder();
  await using redis = await startRedis(folder.path, "always");
  const args = [join(import.meta.dirname, "ticket-side.js"), side, redis.socketPath, String(concurrency), String(worked), String(queued)];
  const { stdout } = await run(process.execPath, args, { encoding: "utf8" });
  return sideSchema.parse(JSON.parse(stdout));
}

/** The lines as a table for people. */
export function renderTickets(lines: readonly TicketLine[]): string {
  const rows = lines.map(
    ({ concurrency, queued, barePerSecond, productPerSecond, ratio, bareBytesPerTicket, productBytesPerTicket }) =>
      `${String(concurrency).padStart(7)} ${String(queued).padStart(7)} ${barePerSecond.toFixed(0).padStart(10)} ${productPerSecond.toFixed(0).padStart(10)} ${ratio.toFixed(2).padStart(6)} ${bareBytesPerTicket.toFixed(0).padStart(10)} ${productBytesPerTicket.toFixed(0).padStart(13)}\n`,
  );
  return `Tickets per second through admission, ledger and checkpoint, beside a BullMQ worker that does nothing; bytes of Redis per queued ticket:\nat once  queued     bare/s  product/s  ratio bare bytes product bytes\n${rows.join("")}`;
}
