import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { actionCatalogue } from "../../app/action-registry.ts";
import { createMetrics } from "../../app/metrics.ts";
import type { CommandContext } from "../context.ts";
import { packageFolder } from "../process-context.ts";
import { createProgram } from "../run-cli.ts";
import { renderActionsReference } from "./actions-reference.ts";
import { renderCommandReference } from "./command-reference.ts";
import { renderConfigurationReference } from "./configuration-reference.ts";
import { fillGeneratedParts } from "./generated-parts.ts";
import { renderMetricsReference } from "./metrics-reference.ts";
import { runbookFormatParts } from "./runbook-format-reference.ts";

const runbookFormat = "docs/runbook-format.md";

/** Every document that is generated as a whole or in marked parts: path in the repository → text. Rejects when a page has an unknown part. */
export async function renderReferences(context: CommandContext): Promise<Readonly<Record<string, string>>> {
  return {
    "docs/reference/command-reference.md": renderCommandReference(await createProgram(context, { exit: () => undefined, version: "0" })),
    "docs/reference/actions.md": renderActionsReference(actionCatalogue),
    "docs/reference/configuration.md": renderConfigurationReference(),
    "docs/reference/metrics.md": await renderMetricsReference(createMetrics().registry),
    [runbookFormat]: fillGeneratedParts(await readFile(join(packageFolder(), runbookFormat), "utf8"), runbookFormatParts()),
  };
}
