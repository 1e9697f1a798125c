import { expect, it } from "@jest/globals";
import type { Feature } from "../../core/feature.ts";
import { featureOf } from "./feature-of.ts";

const aFeature = (name: string, paths: readonly string[], repository = "acme/desk"): Feature => ({
  name,
  flags: [],
  budgets: [],
  keys: [],
  versionUrls: [],
  repository,
  paths,
});

const features = [
  aFeature("export", ["src/export", "prompts/export.md"]),
  aFeature("export-csv", ["src/export/csv/"]),
  aFeature("billing", ["src/billing"]),
  aFeature("invoices", ["src/billing"]),
  aFeature("shop", ["."], "acme/shop"),
  aFeature("nowhere", []),
];

it.each([
  ["a file of it", "acme/desk", "src/export/run.ts", "export"],
  ["the file itself", "acme/desk", "prompts/export.md", "export"],
  ["the longest beginning", "acme/desk", "src/export/csv/write.ts", "export-csv"],
  ["the repository's address", "https://github.com/acme/desk.git", "./src/export/run.ts", "export"],
  ["a path as Windows writes it", "acme/desk", "src\\export\\run.ts", "export"],
  ["the whole repository", "acme/shop", "src/export/run.ts", "shop"],
  ["the whole repository, without a path", "acme/shop", undefined, "shop"],
  ["letters that only begin alike", "acme/desk", "src/exporter/run.ts", "unknown"],
  ["two features with one path", "acme/desk", "src/billing/a.ts", "unknown"],
  ["no path", "acme/desk", undefined, "unknown"],
  ["a path of no feature", "acme/desk", "README.md", "unknown"],
  ["a path that leads out", "acme/desk", "src/export/../../secret", "unknown"],
  ["another repository", "acme/other", "src/export/run.ts", "unknown"],
  ["no repository", undefined, "src/export/run.ts", "unknown"],
])("finds the feature by %s", (_name, repository, path, feature) => {
  const location = { ...(repository !== undefined && { repository }), ...(path !== undefined && { path }) };
  expect(featureOf({ location }, features).feature).toBe(feature);
});

it("says why there is none, and names those among which it cannot decide", () => {
  expect(featureOf({ location: { repository: "acme/desk", path: "src/billing/a.ts" } }, features).reason).toContain("billing, invoices");
  expect(featureOf({ location: { path: "x" } }, features).reason).toContain("neither a feature nor a repository");
  expect(featureOf({ location: { repository: "acme/desk", path: "x" } }, []).reason).toContain("acme/desk");
});

it("takes the feature that a report names only when runbookd.yml has it", () => {
  const location = { repository: "acme/desk", path: "src/export/run.ts" };
  expect(featureOf({ feature: "shop", location }, features).feature).toBe("shop");
  expect(featureOf({ feature: "gone", location }, features)).toEqual({
    feature: "unknown",
    reason: "The report names the feature gone, which runbookd.yml does not have.",
  });
  expect(featureOf({ feature: "unknown", location }, features).feature).toBe("export");
});
