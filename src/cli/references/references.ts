import { actionCatalogue } from "../../app/action-registry.ts";
import { createMetrics } from "../../app/metrics.ts";
import type { CommandContext } from "../context.ts";
import { createProgram } from "../run-cli.ts";
import { renderActionsReference } from "./actions-reference.ts";
import { renderCommandReference } from "./command-reference.ts";
import { renderConfigurationReference } from "./configuration-reference.ts";
import { renderMetricsReference } from "./metrics-reference.ts";

/** Every generated document: path in the repository → text. */
export async function renderReferences(context: CommandContext): Promise<Readonly<Record<string, string>>> {
  return {
    "docs/reference/command-reference.md": renderCommandReference(await createProgram(context, { exit: () => undefined, version: "0" })),
    "docs/reference/actions.md": renderActionsReference(actionCatalogue),
    "docs/reference/configuration.md": renderConfigurationReference(),
    "docs/reference/metrics.md": await renderMetricsReference(createMetrics().registry),
  };
}
