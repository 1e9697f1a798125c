import { describe, expect, it } from "@jest/globals";
import { producedLabels, recordedLabels } from "./produced-labels.ts";

describe("producedLabels", () => {
  const recorded = recordedLabels([
    { record: "job:x:rate5m", expr: "sum by (job) (rate(x[5m]))", labels: ["team"] },
    { record: "twice", expr: "sum(x)", labels: ["a"] },
    { record: "twice", expr: "sum(y)", labels: ["b"] },
    { record: "itself", expr: "sum by (a) (itself)", labels: [] },
    { record: "circle", expr: "circle or sum(x)", labels: [] },
    ...Array.from({ length: 200 }, (_, n) => ({ record: `r${n}`, expr: `r${n + 1} + r${n + 1} + r${n + 1}`, labels: [] })),
  ]);
  it.each<[string, readonly string[] | undefined]>([
    ["sum by (a, b) (x)", ["a", "b"]],
    ["sum(x)", []],
    ["sum(x) by (a)", ["a"]],
    ["sum without (b) (sum by (a, b) (x))", ["a"]],
    ["topk(5, sum by (a) (x))", ["a"]],
    ["x", undefined],
    ["rate(x[5m]) > 5", undefined],
    ["job:x:rate5m > 5", ["job", "team"]],
    ["5 < sum by (a) (x)", ["a"]],
    ["time() - max by (a) (x) > 90", ["a"]],
    ["sum by (a, b) (x) / on (a) sum by (a) (y)", ["a"]],
    ["sum by (a, b) (x) / on (a) group_left (c) sum by (a, c) (y)", ["a", "b", "c"]],
    ["sum by (a) (x) and on (a) y", ["a"]],
    ["sum by (a) (x) or sum by (b) (y)", ["a", "b"]],
    ["sum by (a) (x) unless y", ["a"]],
    ['absent(up{job="runbookd"})', ["job"]],
    ["histogram_quantile(0.9, sum by (le, a) (x))", ["a"]],
    ['label_replace(sum by (a) (x), "b", "$1", "a", "(.*)")', ["a", "b"]],
    ["(sum by (a) (x))", ["a"]],
    ["vector(1)", []],
    ["twice > 1", ["a", "b"]],
    ["itself", ["a"]],
    ["circle", undefined],
    ["r0", undefined],
    ['sum by ("service.name", a) (x)', ["a", "service.name"]],
    [`absent(up{"service.name"="x", 'b'='c'})`, ["b", "service.name"]],
    ['count_values("version", x)', ["version"]],
    ['count_values by (a) ("version", x)', ["a", "version"]],
    ["limit_ratio(0.1, sum by (a) (x))", ["a"]],
    ["TOPK(3, sum by (a) (x))", ["a"]],
    ["", undefined],
  ])("of %s", (expr, labels) => {
    const produced = producedLabels(expr, recorded);
    expect(produced === undefined ? undefined : [...produced].toSorted()).toEqual(labels);
  });

  it("ends for expressions inside each other without end", () => {
    expect(producedLabels(`${"(".repeat(20_000)}x${")".repeat(20_000)}`, recorded)).toBeUndefined();
  });
});
