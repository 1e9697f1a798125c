import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { StepFailure } from "../core/failure.ts";
import { bodyOf, jsonOf, type ReceivedAnswer } from "./json-answer.ts";

const shape = z.object({ enabled: z.boolean() });
const answered = (status: number, body: string, more: object = {}): ReceivedAnswer => ({
  kind: "answered",
  status,
  headers: {},
  body,
  ...more,
});
const failureOf = (answer: ReceivedAnswer, reads: boolean) => {
  try {
    jsonOf(answer, shape, { name: "Unleash", reads });
  } catch (error) {
    if (error instanceof StepFailure) return error.failure;
  }
  throw new Error("Nothing was refused.");
};

describe("the JSON of an answer", () => {
  it("is what its shape says", () => {
    expect(jsonOf(answered(200, '{"enabled":true,"more":1}'), shape, { name: "Unleash", reads: true })).toEqual({ enabled: true });
  });

  it.each([
    [true, "not_reachable", "no"],
    [false, "unknown_outcome", "unknown"],
  ] as const)("of another shape is a failure (reads: %p), without its text", (reads, reason, applied) => {
    for (const body of ["<html>s3cret</html>", '{"enabled":"s3cret"}', ""]) {
      const failure = failureOf(answered(200, body), reads);
      expect(failure).toMatchObject({ reason, applied, message: expect.stringMatching(/^Unleash answered 200/) });
      expect(failure.message).not.toContain("s3cret");
    }
  });

  it("is not used when it was cut", () => {
    expect(failureOf(answered(200, '{"enabled":true}', { truncated: true }), true).message).toContain("too long");
    expect(bodyOf(answered(404, '{"enabled":true}', { truncated: true }), shape)).toBeUndefined();
  });

  it("is a failure for every other status, which names the system and when to come again", () => {
    expect(failureOf(answered(302, ""), true).message).toBe("Unleash answered 302; expected 200.");
    expect(failureOf(answered(401, '{"enabled":true}'), false)).toMatchObject({ reason: "refused_by_target", applied: "no" });
    expect(failureOf(answered(500, ""), false)).toMatchObject({ reason: "unknown_outcome", applied: "unknown" });
    expect(failureOf(answered(429, "", { retryAfterMs: 3000 }), false)).toMatchObject({ reason: "overloaded", retryAfterMs: 3000 });
  });

  it("is a failure when there was no answer", () => {
    const failure = { reason: "not_reachable", message: "The target could not be reached (ECONNREFUSED).", applied: "no" } as const;
    expect(failureOf({ kind: "failed", failure }, true)).toEqual({ ...failure, message: `Unleash: ${failure.message}` });
  });
});
