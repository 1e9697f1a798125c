import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { parseMatrix, parseVector } from "./parse-answer.ts";

const success = (resultType: string, result: unknown, extra: object = {}) =>
  JSON.stringify({ status: "success", data: { resultType, result }, ...extra });

const notCounter = 'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "burn" (1:6)';
const monotonic =
  'PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs) for metric name "x" (1:1)';

describe("an instant answer", () => {
  it("gives every sample with its labels and milliseconds", () => {
    expect(
      parseVector(200, success("vector", [{ metric: { a: "b" }, value: [1767614400.123, "0.25"] }], { warnings: [notCounter] })),
    ).toEqual({
      kind: "samples",
      samples: [{ labels: { a: "b" }, at: 1767614400123, value: 0.25 }],
      warnings: [notCounter],
    });
  });

  it.each([
    ["NaN", Number.NaN],
    ["+Inf", Number.POSITIVE_INFINITY],
    ["-Inf", Number.NEGATIVE_INFINITY],
    ["1e-7", 1e-7],
    ["", Number.NaN],
  ])("reads the value %j", (text, value) => {
    expect(parseVector(200, success("vector", [{ metric: {}, value: [1, text] }]))).toMatchObject({ samples: [{ value }] });
  });

  it("takes an empty vector as an answer, a scalar as one sample, and a histogram as no number", () => {
    expect(parseVector(200, success("vector", []))).toMatchObject({ kind: "samples", samples: [] });
    expect(parseVector(200, success("scalar", [1, "2"]))).toMatchObject({ samples: [{ labels: {}, value: 2 }] });
    expect(parseVector(200, success("vector", [{ metric: {}, histogram: [1, {}] }]))).toMatchObject({ samples: [{ value: Number.NaN }] });
  });

  it.each<[string, number, string, string]>([
    ["a bad query", 400, JSON.stringify({ status: "error", errorType: "bad_data", error: "parse error" }), "bad_data: parse error"],
    ["an overloaded server", 503, JSON.stringify({ status: "error", errorType: "timeout", error: "expanding" }), "timeout: expanding"],
    ["a login page", 200, "<html>", "HTTP 200 without JSON: is this a Prometheus?"],
    ["half an answer", 200, '{"status":"succ', "HTTP 200 without JSON: is this a Prometheus?"],
    ["other JSON", 200, '{"ok":true}', "HTTP 200 with JSON that is no answer of Prometheus"],
    ["null", 200, "null", "HTTP 200 with JSON that is no answer of Prometheus"],
    ["a string", 200, success("string", [1, "x"]), "Prometheus answered a string, which is no set of samples"],
    ["a vector that is no list", 200, success("vector", { metric: {} }), "Prometheus answered a vector, which is no set of samples"],
  ])("is unavailable for %s", (_name, status, body, reason) => {
    expect(parseVector(status, body)).toEqual({ kind: "unavailable", reason });
  });
});

describe("an answer from which data is missing", () => {
  const result = [{ metric: {}, value: [1, "0.5"] }];
  const points = [{ metric: {}, values: [[1, "0.5"]] }];

  it.each<[string, object]>([
    ["a store that did not answer", { warnings: ["store-eu:10901: context deadline exceeded, partial response"] }],
    ["a warning beside a harmless note", { warnings: [notCounter, "partial response"] }],
    ["a warning of PromQL", { warnings: ["PromQL warning: encountered a mix of histograms and floats for aggregation (1:1)"] }],
    ["a note that something was left out", { infos: ["PromQL info: ignored histogram in sum aggregation (1:1)"] }],
    ["a note among the harmless ones", { infos: [notCounter, "2 of 3 shards answered"] }],
    ["a note that only begins as a harmless one is spelled", { infos: ["promql info: metric might not be a counter"] }],
    ["a warning that is no list", { warnings: "partial" }],
    ["a warning that is no text", { warnings: [{ store: "eu" }] }],
    ["VictoriaMetrics' mark", { isPartial: true }],
    ["the mark within the data", { data: { resultType: "vector", result, isPartial: true } }],
    ["the mark as a text", { isPartial: "true" }],
    ["an error beside a success", { error: "timeout" }],
  ])("is incomplete: %s", (_name, extra) => {
    expect(parseVector(200, success("vector", result, extra))).toMatchObject({ kind: "incomplete" });
    const asRange = "data" in extra ? { data: { resultType: "matrix", result: points, isPartial: true } } : extra;
    expect(parseMatrix(200, success("matrix", points, asRange))).toMatchObject({ kind: "incomplete" });
  });

  it("names the sample or the series that cannot be read, wherever it is among others, and gives none of them", () => {
    const odd = fc.constantFrom<unknown>(
      null,
      7,
      {},
      { metric: null, value: [1, "0"] },
      { metric: { a: "b" }, value: ["x"] },
      { metric: { a: 1 }, value: [1, "0"] },
    );
    fc.assert(
      fc.property(odd, fc.nat(5), fc.nat(5), (item, before, after) => {
        const good = { metric: { a: "b" }, value: [1, "0.5"] };
        const all = [...Array.from({ length: before }, () => good), item, ...Array.from({ length: after }, () => good)];
        const named = (what: string) => ({
          kind: "incomplete",
          reason: expect.stringContaining(`${what} ${before + 1} of ${all.length}`),
        });
        expect(parseVector(200, success("vector", all))).toEqual(named("sample"));
        const series = all.map((one) => (one === good ? { metric: { a: "b" }, values: [[1, "0.5"]] } : { values: [[1]], ...Object(one) }));
        expect(parseMatrix(200, success("matrix", series))).toEqual(named("series"));
      }),
      { seed: 12, numRuns: 100 },
    );
  });

  it("is incomplete for any text that is not known to be harmless", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom("warnings", "infos"), fc.boolean(), (text, list, hasNote) => {
        const extra = { [list]: hasNote ? [notCounter, text] : [text] };
        expect(parseVector(200, success("vector", result, extra))).toMatchObject({ kind: "incomplete" });
      }),
    );
  });

  it.each<[string, object]>([
    ["notes of PromQL 3", { infos: [notCounter, monotonic, "3 more info annotations omitted"] }],
    ["notes of PromQL 2", { warnings: [monotonic] }],
    ["empty lists", { warnings: [], infos: [] }],
    ["null", { warnings: null, infos: null, isPartial: null, error: null }],
    ["no mark", { isPartial: false, error: "", errorType: "" }],
  ])("is complete with %s", (_name, extra) => {
    expect(parseVector(200, success("vector", result, extra))).toMatchObject({ kind: "samples", samples: [{ value: 0.5 }] });
  });
});

describe("a range answer", () => {
  it("gives series with their points", () => {
    expect(
      parseMatrix(
        200,
        success("matrix", [
          {
            metric: { a: "b" },
            values: [
              [1, "1"],
              [2, "NaN"],
            ],
          },
        ]),
      ),
    ).toEqual({
      kind: "series",
      series: [
        {
          labels: { a: "b" },
          points: [
            { at: 1000, value: 1 },
            { at: 2000, value: Number.NaN },
          ],
        },
      ],
      warnings: [],
    });
  });

  it("is unavailable for anything else", () => {
    expect(parseMatrix(200, success("vector", []))).toMatchObject({ kind: "unavailable" });
    expect(parseMatrix(422, JSON.stringify({ status: "error", errorType: "execution", error: "too many samples" }))).toEqual({
      kind: "unavailable",
      reason: "execution: too many samples",
    });
  });
});
