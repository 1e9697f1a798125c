import { describe, expect, it } from "@jest/globals";
import { sampleOutput } from "./sample-output.ts";
import { maxOutputLength } from "./wire/outputs.ts";

describe("the part of an output that is scanned", () => {
  it("is all of a short one", () => {
    expect(sampleOutput("")).toBe("");
    expect(sampleOutput("x".repeat(maxOutputLength))).toHaveLength(maxOutputLength);
  });

  it.each([maxOutputLength + 1, 1_000_000, 50_000_000])(
    "is of bounded length, with the beginning and the end, of one with %i characters",
    (length) => {
      const sample = sampleOutput(`begin${"x".repeat(length - 8)}end`);
      expect(sample.length).toBeLessThanOrEqual(maxOutputLength);
      expect(sample.length).toBeGreaterThan(maxOutputLength * 0.99);
      expect(sample.startsWith("begin")).toBe(true);
      expect(sample.endsWith("end")).toBe(true);
    },
  );
});
