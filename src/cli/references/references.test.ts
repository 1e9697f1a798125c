import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { packageFolder } from "../process-context.ts";
import { renderReferences } from "./references.ts";

const references = await renderReferences(aCommandContext());

it.each(Object.keys(references))("%s says what the code says (npm run docs writes it)", async (path) => {
  expect(await readFile(join(packageFolder(), path), "utf8")).toBe(references[path]);
});
