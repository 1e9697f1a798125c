import { describe, expect, it } from "@jest/globals";
import { findPromqlFault } from "./find-promql-fault.ts";
import { divideRanges, readPromql } from "./promql.ts";

describe("divideRanges", () => {
  it.each([
    ["rate(x_total[5m])", "rate(x_total[5s])"],
    ["rate(x_total[1h30m] offset 1d)", "rate(x_total[1m30s] offset 24m)"],
    ["max_over_time(rate(x[1h])[6h:1m])", "max_over_time(rate(x[1m])[6m:1s])"],
    ["x offset -1w", "x offset -2h48m"],
    ["rate(x[30])", "rate(x[500ms])"],
    ["rate(x[10ms])", "rate(x[1ms])"],
    ["x @ 1609746000 > 3600", "x @ 1609746000 > 3600"],
    ['x{a="[5m]"} # [5m]', 'x{a="[5m]"} # [5m]'],
    ['rate(x{a="${{ params.a }}"}[2m]) > ${{ params.b }}', 'rate(x{a="${{ params.a }}"}[2s]) > ${{ params.b }}'],
    [
      "sum by (budget) (rate(x[5m])) / on (budget) group_left () max by (budget) (avg_over_time(y[1d]))",
      "sum by (budget) (rate(x[5s])) / on (budget) group_left () max by (budget) (avg_over_time(y[24m]))",
    ],
  ])("of %s by 60 is %s", (query, divided) => {
    expect(divideRanges(query, 60)).toBe(divided);
  });

  it("rounds to whole milliseconds and keeps at least one", () => {
    expect(divideRanges("rate(x[7s])", 60)).toBe("rate(x[117ms])");
    expect(divideRanges("x offset 0s", 60)).toBe("x offset 0s");
  });

  it("throws on a query that cannot be read, with the offset", () => {
    expect(() => divideRanges("rate(x[5m)", 60)).toThrow("offset 9");
  });

  it("gives a query that reads as before", () => {
    const query = 'sum(increase(a_total{b=~"c|d"}[6h])) - sum(increase(a_total[6h] offset 1w)) > 20';
    expect(readPromql(divideRanges(query, 7)).selectors.map((one) => one.matchers)).toEqual(
      readPromql(query).selectors.map((one) => one.matchers),
    );
  });
});

describe("readPromql", () => {
  it("lists every selector with its metric and matchers", () => {
    const { selectors } = readPromql('sum(rate(a_total{b="c",d!~`e.*`}[5m])) / {__name__="f:g", h="i"} and {"my.metric", j=\'k\'}');
    expect(selectors.map(({ metric, matchers }) => ({ metric, matchers }))).toEqual([
      {
        metric: "a_total",
        matchers: [
          { label: "b", op: "=", value: "c" },
          { label: "d", op: "!~", value: "e.*" },
        ],
      },
      { metric: "f:g", matchers: [{ label: "h", op: "=", value: "i" }] },
      { metric: "my.metric", matchers: [{ label: "j", op: "=", value: "k" }] },
    ]);
  });

  it.each([
    ["rate(x[5m)", 9],
    ["x{a=}", 4],
    ["x +", 3],
    ['x{a="${{ params.a ', 5],
  ])("tells where %s cannot be read", (query, offset) => {
    expect(readPromql(query).errorAt).toBe(offset);
  });
});

describe("findPromqlFault", () => {
  it.each(["", "   ", "up{", "up{a=`${{ params.a }}`}", "up # ${{ 1 }}", 'up{a="${{ params.b }}"}', 'up{a="${{ "}'])(
    "refuses %j",
    (query) => {
      expect(findPromqlFault(query, { roots: ["params"], params: ["a"] })).toBeDefined();
    },
  );

  it("accepts templates inside quotes, and outside as a number", () => {
    expect(
      findPromqlFault('up{a="${{ params.a }}",b=~"x-${{ params.a }}"} > ${{ 1 + 1 }}', { roots: ["params"], params: ["a"] }),
    ).toBeUndefined();
  });
});
