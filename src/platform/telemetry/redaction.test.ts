import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { createRedaction } from "./redaction.ts";

const secret = 's3cr3t/+&"tok en';
const redact = createRedaction([secret]);

it.each([
  ["raw", `Bearer ${secret}.`],
  ["in JSON", JSON.stringify({ header: `Bearer ${secret}` })],
  ["in a URL", `https://x/?token=${encodeURIComponent(secret)}&a=1`],
  ["in a form", new URLSearchParams({ token: secret }).toString()],
  ["in Basic credentials", `Basic ${Buffer.from(`runbookd:${secret}`).toString("base64")}`],
  ["in base64url", Buffer.from(`x${secret}y`).toString("base64url")],
])("removes a secret %s", (_where, text) => {
  const out = redact.apply(text);
  expect(out).toContain("[secret]");
  expect(out).not.toContain(secret);
});

it("removes base64 of a secret at every alignment", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 40 }),
      fc.string({ maxLength: 5 }),
      fc.string({ maxLength: 5 }),
      (value, before, after) => {
        const text = Buffer.from(`${before}${value}${after}`).toString("base64");
        expect(createRedaction([value]).apply(text)).toContain("[secret]");
      },
    ),
  );
});

it("removes the longer of two secrets that contain each other", () => {
  expect(createRedaction(["token", "token-of-admin"]).apply("token-of-admin token")).toBe("[secret] [secret]");
});

it("leaves ordinary text alone, and ignores what is too short to be a secret", () => {
  const text = "step 3 of cost-incident-response";
  expect(createRedaction(["st", ""]).apply(text)).toBe(text);
  expect(createRedaction().apply(text)).toBe(text);
});
