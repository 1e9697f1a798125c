import { expect, it } from "@jest/globals";
import { z } from "zod";
import { resolveParameters } from "./resolve-parameters.ts";

const query = z.string().meta({ format: "promql" });
const schema = z.strictObject({
  text: z.string().optional(),
  query: query.optional(),
  url: z.string().meta({ format: "url" }).optional(),
  queries: z
    .union([query, z.array(query)])
    .optional()
    .meta({ format: "promql" }),
});
const scope = { params: { a: 'x"} or vector(1) #' } };

it("escapes a label inside a query, and inside every query of a list", () => {
  const written = 'up{a="${{ params.a }}"}';
  const escaped = 'up{a="x\\"} or vector(1) #"}';
  expect(resolveParameters({ text: written, query: written, queries: [written, "up"] }, schema, scope)).toEqual({
    ok: true,
    value: { text: 'up{a="x"} or vector(1) #"}', query: escaped, queries: [escaped, "up"] },
  });
});

it("names the parameter whose template cannot be resolved", () => {
  expect(resolveParameters({ text: "${{ params.b }}" }, schema, scope)).toEqual({
    ok: false,
    what: "text: ${{ params.b }}: `params.b` is missing",
  });
  expect(resolveParameters({ queries: ["up > ${{ params.a }}"] }, schema, scope)).toMatchObject({
    ok: false,
    what: expect.stringMatching(/^queries: /u),
  });
});

it("encodes a label inside a URL for its place", () => {
  const written = "https://gw.example/pools/${{ params.a }}?q=${{ params.a }}";
  expect(resolveParameters({ url: written }, schema, { params: { a: "a/b&c" } })).toEqual({
    ok: true,
    value: { url: "https://gw.example/pools/a%2Fb%26c?q=a%2Fb%26c" },
  });
  expect(resolveParameters({ url: written }, schema, { params: { a: "x/../../admin" } })).toMatchObject({ ok: false });
});
