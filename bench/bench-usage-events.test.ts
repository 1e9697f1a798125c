import { expect, it } from "@jest/globals";
import { growthOf, type UsageEventsLine } from "./bench-usage-events.ts";

const line: UsageEventsLine = { kept: 1000, commands: 20, bytes: 1_000_000, explainMs: 9, recordMs: 1, bytesPerEvent: 600 };

it.each([
  [{}, []],
  [{ explainMs: 90, bytes: line.bytes + 64 }, []],
  [{ commands: 21 }, ["21 commands instead of 20"]],
  [{ bytes: line.bytes + 65 }, ["1000065 bytes instead of 1000000"]],
])("tells in what a window costs more among more events: %j", (change, growth) => {
  expect(growthOf({ lines: [line, { ...line, kept: 1_000_000, ...change }] })).toEqual(growth);
});
