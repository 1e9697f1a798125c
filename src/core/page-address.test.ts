import { expect, it } from "@jest/globals";
import { runPageAddress } from "./page-address.ts";

it.each([
  ["https://runbookd.example", { runId: "01M8", step: 3 }, "https://runbookd.example/runs/01M8#step-3"],
  ["https://runbookd.example/base//", { runId: "01M8" }, "https://runbookd.example/base/runs/01M8"],
  ["http://localhost:9097/", { runId: "../x?y#z" }, "http://localhost:9097/runs/..%2Fx%3Fy%23z"],
])("under %s, %j is at %s", (publicUrl, place, address) => {
  expect(runPageAddress(publicUrl, place)).toBe(address);
});
