import { expect, it } from "@jest/globals";
import { retryAfterMs } from "./retry-after.ts";

const now = Date.UTC(2026, 0, 5, 12, 0, 0);

it.each([
  [undefined, undefined],
  ["0", 0],
  [" 3 ", 3000],
  ["60", 60_000],
  ["1000000000", 60_000],
  ["9".repeat(400), 60_000],
  ["-5", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["", undefined],
  ["2026-01-05", undefined],
  ["Mon, 05 Jan 2026 12:00:10 GMT", 10_000],
  ["Mon, 05 Jan 2026 11:00:00 GMT", 0],
  ["Tue, 01 Jan 2999 00:00:00 GMT", 60_000],
])("reads %j as %j", (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});
