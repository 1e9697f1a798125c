import { expect, it } from "@jest/globals";
import { createExposition } from "../platform/telemetry/exposition.ts";
import { declareRunbookMetrics, observeRunbooks } from "./metrics.ts";
import type { FolderDocument } from "./runbook-folder.ts";

it("counts the files whose newest bytes are not in force", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareRunbookMetrics(exposition.registry) };
  const error = {
    severity: "error",
    rule: "x",
    file: "cost.md",
    position: { line: 1, column: 1 },
    message: "bad",
    accepted: "good",
  } as const;
  const broken: FolderDocument = { id: "cost", file: "cost.md", source: "", diagnostics: [error] };
  observeRunbooks(metrics, { list: () => [broken, { ...broken, id: "cache", diagnostics: [] }] });
  expect((await metrics.metrics()).split("\n")).toContain("runbookd_broken_runbooks 1");
});
