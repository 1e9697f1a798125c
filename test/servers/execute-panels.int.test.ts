import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { executePanels } from "./execute-panels.ts";
import { startPrometheus } from "./prometheus.ts";

const folder = join(import.meta.dirname, "../../grafana/dashboards");
const shipped = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
const range = () => ({ from: Date.now() - 10_000, to: Date.now(), stepSeconds: 1 });

it("has every shipped query accepted by a real Prometheus", async () => {
  await using prometheus = await startPrometheus({ config: "{}" });
  const results = await executePanels(shipped, prometheus.url, range());
  expect(results.length).toBeGreaterThan(40);
  expect(results.filter(({ kind }) => kind === "error")).toEqual([]);
});

it("tells data from nothing, from not-a-number and from an error", async () => {
  await using prometheus = await startPrometheus({ config: "{}" });
  const exprs = ["vector(1)", "absent_metric", "vector(0) / 0", "sum(", 'label_replace(vector(1), "a", "$1", "b", "${x}")'];
  const dashboard = JSON.stringify({ title: "d", panels: [{ title: "p", targets: exprs.map((expr) => ({ expr })) }] });
  const results = await executePanels([dashboard], prometheus.url, range());
  expect(results.map(({ kind }) => kind)).toEqual(["data", "empty", "empty", "error", "data"]);
});
