import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { readJsonList } from "./read-json-list.ts";

async function read(text: string): Promise<readonly unknown[] | undefined> {
  const items: unknown[] = [];
  return (await readJsonList(text, (item) => items.push(item))) ? items : undefined;
}

it("reads every list as JSON.parse does, however it is spaced", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, "\t", "\r\n"), async (list, space) => {
      const text = JSON.stringify(list, undefined, space);
      expect(await read(text)).toEqual(JSON.parse(text));
    }),
  );
});

it("reads no text that is no JSON list", async () => {
  const almost = fc
    .array(fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", ":", "1", "null", " ", '"a":1'), { maxLength: 12 })
    .map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(almost, async (text) => {
      expect(await read(text)).toEqual(listOf(text));
    }),
    { numRuns: 2000 },
  );
});

function listOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

it("lets others have their turn while it reads 20 MB", async () => {
  const text = JSON.stringify(Array.from({ length: 20_000 }, (_, index) => ({ index, text: 'x"'.repeat(300) })));
  let turns = 0;
  let isReading = true;
  const turn = () => {
    turns += 1;
    if (isReading) setImmediate(turn);
  };
  setImmediate(turn);
  expect(await read(text)).toHaveLength(20_000);
  isReading = false;
  expect(turns).toBeGreaterThan(40);
});
