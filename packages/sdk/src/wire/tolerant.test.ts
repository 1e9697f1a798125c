import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { tolerant } from "./tolerant.ts";

const schema = z.strictObject({
  state: z.enum(["open", "done"]),
  share: z.number().max(1),
  note: z.exactOptional(z.string().max(3)),
  by: z.string().nullable(),
  counts: z.record(z.enum(["open", "done"]), z.number()),
  limits: z.strictObject({ least: z.int().min(1).default(5) }),
  entries: z.array(
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("begun"), at: z.number() }),
      z.object({ kind: z.enum(["ended", "stopped"]), why: z.string() }),
    ]),
  ),
});
const body = {
  state: "open",
  share: 0.5,
  by: null,
  counts: { open: 1, done: 2 },
  limits: { least: 2 },
  entries: [
    { kind: "begun", at: 1 },
    { kind: "ended", why: "…" },
  ],
};
const read = (change: object) => tolerant(schema).safeParse({ ...body, ...change });

describe("tolerant", () => {
  it("reads what the schema itself accepts, to the same value", () => expect(tolerant(schema).parse(body)).toEqual(schema.parse(body)));

  it.each([
    ["fields", { more: 1, limits: { least: 2, most: 9 } }, { more: 1, limits: { least: 2, most: 9 } }],
    ["words", { state: "paused", counts: { open: 1, paused: 1 } }, { state: "paused", counts: { open: 1, paused: 1 } }],
    ["limits of a number or a text", { share: 2, note: "longer" }, { share: 2, note: "longer" }],
    ["kinds of a union", { entries: [{ kind: "paused", by: "ada" }] }, { entries: [{ kind: "paused", by: "ada" }] }],
  ])("accepts new %s", (_, change, read_) => {
    const { data } = read(change);
    expect(data).toEqual({ ...body, ...read_ });
  });

  it.each([
    ["a field that is missing", { state: undefined }],
    ["a field of another type", { share: "0.5" }],
    ["a known kind without its fields", { entries: [{ kind: "begun" }] }],
  ])("refuses %s", (_, change) => expect(read(change).success).toBe(false));
});
