import { describe, expect, it } from "@jest/globals";
import { parseMatrix, parseVector } from "./parse-answer.ts";

const success = (resultType: string, result: unknown, extra: object = {}) =>
  JSON.stringify({ status: "success", data: { resultType, result }, ...extra });

describe("an instant answer", () => {
  it("gives every sample with its labels and milliseconds", () => {
    expect(parseVector(200, success("vector", [{ metric: { a: "b" }, value: [1767614400.123, "0.25"] }], { warnings: ["w"] }))).toEqual({
      kind: "samples",
      samples: [{ labels: { a: "b" }, at: 1767614400123, value: 0.25 }],
      warnings: ["w"],
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
    ["a broken vector", 200, success("vector", [{ metric: {}, value: ["x"] }]), "Prometheus answered a vector, which is no set of samples"],
  ])("is unavailable for %s", (_name, status, body, reason) => {
    expect(parseVector(status, body)).toEqual({ kind: "unavailable", reason });
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
