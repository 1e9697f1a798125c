import { execFileSync } from "node:child_process";
import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { externalIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import { checkpointRef, ticketBranch, ticketRefName } from "./checkpoint.ts";

const id = fc.oneof(
  fc.stringMatching(/^[\w.:/#@=+-]{1,128}$/),
  fc.constantFrom("a..b", "a.lock", "-x", "@", "x/", "/x", "a//b", "h-1", "GH-1"),
);

it("names every ticket by a ref and a folder that git takes", () => {
  const names = fc.sample(id, { numRuns: 40, seed: 7 }).filter((one) => externalIdSchema.safeParse(one).success);
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    for (const ref of [checkpointRef(name, 1), `refs/heads/${ticketBranch(name)}`]) execFileSync("git", ["check-ref-format", ref]);
    expect(ticketRefName(name)).toMatch(/^[A-Za-z0-9][\w-]*$/);
  }
});

it("never gives two tickets one name", () => {
  fc.assert(fc.property(id, id, (a, b) => a === b || ticketRefName(a) !== ticketRefName(b)));
  const hashed = ticketRefName("acme/shop#1");
  expect(ticketRefName(hashed)).not.toBe(hashed);
});
