import { expect, it } from "@jest/globals";
import { judgeSchema } from "./judge-schema.ts";
import { schemaVersion } from "./schema-version.ts";

it("accepts an empty store and one of its own version", () => {
  expect(judgeSchema(undefined).verdict).toBe("ok");
  expect(judgeSchema(schemaVersion).verdict).toBe("ok");
  expect(judgeSchema(schemaVersion - 1)).toMatchObject({ verdict: "ok", detail: "version 4, which becomes 5" });
});

it.each([
  ["older", schemaVersion - 2, "An older runbookd wrote this data, and it is not converted."],
  ["newer", schemaVersion + 1, "A newer runbookd wrote this data."],
])("refuses data of an %s version and says what to do", (_, version, reason) => {
  const finding = judgeSchema(version);
  expect(finding).toMatchObject({ verdict: "fault", name: "Redis data" });
  expect(finding.detail).toBe(`the data has layout version ${version}, this runbookd uses version ${schemaVersion}`);
  expect(finding.fix).toContain(reason);
  expect(finding.fix).toContain("set REDIS_URL to an empty Redis");
});
