import { expect, it } from "@jest/globals";
import { z } from "zod";
import { runbookFrontMatterSchema } from "./front-matter.ts";

it("has a JSON Schema for editors that knows every key and no other", () => {
  const schema = z.toJSONSchema(runbookFrontMatterSchema);
  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties ?? {})).toEqual([
    "triggers",
    "target",
    "params",
    "mode",
    "cooldown",
    "timeout",
    "on_resolved",
    "on_joined",
    "track",
    "limits",
    "owner",
    "tags",
  ]);
});
