import { expect, it } from "@jest/globals";
import { createActionBench } from "../../../test/builders/action-bench.ts";
import type { PrometheusAnswer } from "../../core/prometheus.ts";
import { checkGuards } from "./check-guards.ts";

const sample = (value: number): PrometheusAnswer => ({ kind: "samples", samples: [{ labels: {}, value, at: 0 }], warnings: [] });
const none: PrometheusAnswer = { kind: "samples", samples: [], warnings: [] };
const guard = "rate(errors_total[5m]) > 1";

async function check(answers: { readonly [query: string]: PrometheusAnswer }, ...guards: readonly string[]) {
  const bench = createActionBench();
  bench.world.prometheus = (query) => answers[query] ?? none;
  return checkGuards(guards, { prometheus: bench.ports.prometheus, signal: new AbortController().signal });
}

it("takes silence for none only when the series exist", async () => {
  expect(await check({ "count(errors_total{})": sample(3) }, guard)).toEqual({ kind: "clear" });
  expect(await check({}, guard)).toEqual({ kind: "unseen", text: "No series errors_total{}" });
  expect(await check({}, 'ALERTS{alertname="Hot"}')).toEqual({ kind: "clear" });
});

it("cannot see a partial or unreadable answer, and lets harm win over it", async () => {
  const partial: PrometheusAnswer = { kind: "incomplete", reason: "a store did not answer" };
  expect(await check({ [guard]: partial }, guard)).toMatchObject({ kind: "unseen" });
  expect(await check({ [guard]: sample(Number.NaN) }, guard)).toMatchObject({ kind: "unseen" });
  expect(await check({ "count(errors_total{})": partial }, guard)).toMatchObject({ kind: "unseen" });
  expect(await check({ [guard]: partial, "other > 0": sample(1) }, guard, "other > 0")).toMatchObject({ kind: "broken" });
});
