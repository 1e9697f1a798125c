import { expect, it } from "@jest/globals";
import { createUlids } from "./ulid.ts";

it("orders ids by time and keeps them apart within one millisecond", () => {
  let now = 1_700_000_000_000;
  let byte = 0;
  const next = createUlids(
    () => now,
    (count) => new Uint8Array(count).fill((byte += 1)),
  );
  const first = next("run");
  const second = next("run");
  now += 1;
  const third = next("run");
  expect(first).toMatch(/^run_[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(second).not.toBe(first);
  expect(third.slice(0, 14) > second.slice(0, 14)).toBe(true);
});

it("writes the time as the specification's example does", () => {
  const next = createUlids(
    () => 1_469_918_176_385,
    (count) => new Uint8Array(count),
  );
  expect(next("run")).toBe("run_01ARYZ6S410000000000000000");
});
