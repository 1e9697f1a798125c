import { expect, it } from "@jest/globals";
import { growthOfTickets, renderTicketGrowth, type TicketGrowthLine } from "./bench-ticket-growth.ts";

const line = (queued: number, change: Partial<TicketGrowthLine> = {}): TicketGrowthLine => ({
  queued,
  scriptsPerTicket: 4,
  commandsPerTicket: 100,
  replyBytesPerTicket: 500,
  microsecondsPerTicket: 1000,
  bytesPerQueuedTicket: 1200,
  looks: 3,
  ...change,
});

it("permits 2 % more commands in the longest queue, and no more", () => {
  expect(growthOfTickets([line(1000), line(100_000, { commandsPerTicket: 102, microsecondsPerTicket: 9000 })])).toEqual([]);
  expect(growthOfTickets([line(1000), line(100_000, { commandsPerTicket: 102.1 })])).toEqual(["commandsPerTicket"]);
  expect(growthOfTickets([line(1000), line(100_000, { scriptsPerTicket: 4.1 })])).toEqual(["scriptsPerTicket"]);
  expect(growthOfTickets([])).toEqual([]);
});

it("says the target and the verdict", () => {
  expect(renderTicketGrowth([line(1000), line(100_000)])).toMatch(/target: at most 2 % more .*: met\n$/);
  expect(renderTicketGrowth([line(1000), line(100_000, { scriptsPerTicket: 9 })])).toMatch(/missed: scriptsPerTicket\n$/);
});
