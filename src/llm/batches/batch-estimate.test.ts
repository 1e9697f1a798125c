import { describe, expect, it } from "@jest/globals";
import { defaultPrior, estimateBatch, estimateTicket, judgeRoom } from "./batch-estimate.ts";

const hundred = Array.from({ length: 100 }, (_, index) => (index + 1) * 1000);

describe("the estimate of a batch", () => {
  it("takes median and 90th percentile from tickets of the same kind", () => {
    expect(estimateTicket(hundred.toReversed(), null)).toEqual({ p50MicroUsd: 50_000, p90MicroUsd: 90_000, n: 100, from: "history" });
    expect(
      estimateTicket(
        Array.from({ length: 20 }, () => 7),
        null,
      ),
    ).toMatchObject({ p50MicroUsd: 7, p90MicroUsd: 7, from: "history" });
  });

  it("assumes while fewer than 20 have ended, and assumes no less than the dearest of them", () => {
    expect(estimateTicket(hundred.slice(0, 19), null)).toEqual({ ...defaultPrior, n: 19, from: "prior" });
    expect(estimateTicket([3_000_000], null)).toMatchObject({ p90MicroUsd: 3_000_000, n: 1, from: "prior" });
  });

  it("never exceeds the cap per ticket, above which a ticket is stopped", () => {
    expect(estimateTicket([], 100_000)).toMatchObject({ p50MicroUsd: 100_000, p90MicroUsd: 100_000 });
    expect(estimateTicket(hundred, 60_000)).toMatchObject({ p50MicroUsd: 50_000, p90MicroUsd: 60_000 });
  });

  it("adds the kinds up", () => {
    const kinds = [
      { kind: "bug", tickets: 3, ...estimateTicket(hundred, null) },
      { kind: "docs", tickets: 2, ...estimateTicket([], null) },
    ];
    expect(estimateBatch(kinds)).toMatchObject({ tickets: 5, p50MicroUsd: 650_000, p90MicroUsd: 2_270_000 });
  });

  it("shows the arithmetic, at the limit and one millionth above it", () => {
    const room = { spentMicroUsd: 20_000_000, committedMicroUsd: 5_000_000, limitMicroUsd: 50_000_000 };
    expect(judgeRoom({ p90MicroUsd: 25_000_000, tickets: 10 }, room)).toEqual({
      fits: true,
      arithmetic: "$20.00 spent + $5.00 reserved + $25.00 for 10 tickets (p90) = $50.00, within the limit $50.00.",
      shareOfRemaining: 1,
    });
    expect(judgeRoom({ p90MicroUsd: 25_000_001, tickets: 10 }, room)).toMatchObject({ fits: false });
    expect(judgeRoom({ p90MicroUsd: 30_000_000, tickets: 10 }, room).arithmetic).toBe(
      "$20.00 spent + $5.00 reserved + $30.00 for 10 tickets (p90) = $55.00, $5.00 more than the limit $50.00.",
    );
    expect(judgeRoom({ p90MicroUsd: 1, tickets: 1 }, { ...room, committedMicroUsd: 30_000_000 })).toMatchObject({
      fits: false,
      shareOfRemaining: Number.MAX_SAFE_INTEGER,
    });
  });
});
