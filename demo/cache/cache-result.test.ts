import { describe, expect, it } from "@jest/globals";
import type { ModelCall } from "../simulators/model-server/model-call.ts";
import {
  billedFor,
  type CacheObservations,
  cacheFaults,
  cacheMilestones,
  cacheResultLine,
  readWorked,
  type WorkedEntry,
} from "./cache-result.ts";

const good: CacheObservations = {
  ...Object.fromEntries(cacheMilestones.map(({ key }, index) => [key, index * 1000])),
  outcome: "succeeded",
  run: "run_1",
  version: 2,
  before: { tickets: 100, hit: 0, costPerTicketMicroUsd: 1000 },
  predicted: { hit: 0.9, costRatio: 0.2 },
  after: { tickets: 50, hit: 0.82, costPerTicketMicroUsd: 250 },
  golden: { tickets: 24, unchanged: 24 },
};

const aTicket = (ticketId: string, change: Partial<WorkedEntry> = {}): WorkedEntry => ({
  kind: "ticket_worked",
  at: 10,
  beganAt: 5,
  ticketId,
  version: 1,
  variant: "baseline",
  ok: true,
  ...change,
});

describe("what the cache demo must show", () => {
  it("is all of it", () => {
    expect(cacheFaults(good)).toEqual([]);
    expect(JSON.parse(cacheResultLine(good))).toMatchObject({
      before: { hit: 0 },
      predicted: { hit: 0.9, costPerTicketMicroUsd: 200 },
      after: { hit: 0.82 },
      costReduction: 0.75,
      promotedAt: "1970-01-01T00:00:07.000Z",
    });
  });

  it.each<[Partial<CacheObservations>, string]>([
    [{ after: { tickets: 9, hit: 0.8, costPerTicketMicroUsd: 250 } }, "80.0 %"],
    [{ after: { tickets: 9, hit: 0.9, costPerTicketMicroUsd: 301 } }, "69.9 %"],
    [{ golden: { tickets: 24, unchanged: 23 } }, "23 of 24"],
    [{ outcome: "undone" }, "ended undone"],
    [{ promotedAt: undefined }, "Not observed: It is labelled production"],
    [{ after: undefined }, "not measured"],
  ])("fails on %j", (change, sentence) => {
    expect(cacheFaults({ ...good, ...change }).join(" ")).toContain(sentence);
  });

  it("is counted by the provider's bill, for exactly the tickets that were worked on well", () => {
    const call = (userId: string, read: number, uncached: number): ModelCall => ({
      at: 0,
      requestId: "r",
      model: "m",
      status: 200,
      userId,
      tokens: { read, uncached, write5m: 0, write1h: 0, output: 1 },
      costMicroUsd: 100,
    });
    const calls = [call("A", 90, 10), call("A", 80, 20), call("B", 0, 100), call("GOLDEN-1", 0, 1000)];
    expect(billedFor([aTicket("A"), aTicket("B", { ok: false })], calls)).toEqual({ tickets: 1, hit: 0.85, costPerTicketMicroUsd: 200 });
    expect(billedFor([], calls)).toBeUndefined();
  });

  it("reads evidence up to the last whole line", () => {
    const line = JSON.stringify(aTicket("A"));
    expect(readWorked(`${line}\n${line.slice(0, 9)}`)).toHaveLength(1);
    expect(() => readWorked("{}\n")).toThrow("ticket_worked");
  });
});
