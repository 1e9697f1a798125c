import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createProcessContext, packageFolder } from "../process-context.ts";
import { renderReferences } from "./references.ts";

for (const [path, text] of Object.entries(await renderReferences(createProcessContext()))) {
  writeFileSync(join(packageFolder(), path), text);
  process.stdout.write(`${path}\n`);
}
