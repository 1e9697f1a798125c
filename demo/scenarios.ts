import { batchScenario } from "./batch/batch-scenario.ts";
import { cacheScenario } from "./cache/cache-scenario.ts";
import { costScenario } from "./cost/cost-scenario.ts";
import type { ScenarioName } from "./demo-options.ts";
import { migrationScenario } from "./migration/migration-scenario.ts";
import type { Scenario } from "./scenario.ts";
import { securityScenario } from "./security/security-scenario.ts";
import { ticketScenario } from "./ticket/ticket-scenario.ts";

/** Every scenario under its name. */
export const scenarios: { readonly [Name in ScenarioName]: Scenario } = {
  cost: costScenario,
  cache: cacheScenario,
  batch: batchScenario,
  ticket: ticketScenario,
  migration: migrationScenario,
  security: securityScenario,
};
