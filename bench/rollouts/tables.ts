import type { Table } from "./compare-table.ts";
import { costDriftTable, costPeekingTable, costPerSuccessTable } from "./cost-table.ts";
import { driftTable } from "./drift-table.ts";
import { pairedCostTable, pairedQualityTable } from "./paired-table.ts";
import { carefulRampTable, quickRampTable } from "./ramp-table.ts";
import { ruleTable } from "./rule-table.ts";
import { smallTeamTable, zTestTable } from "./sequential-table.ts";
import { splitOverStepsTable, splitTable } from "./split-table.ts";

interface Simulation {
  readonly simulate: (runs: number) => Table;
  /** As many runs as the reference had. */
  readonly full: number;
  /** Runs of `npm test`, enough for its medians. */
  readonly few: number;
}

const simulations: readonly Simulation[] = [
  { simulate: carefulRampTable, full: 1000, few: 400 },
  { simulate: quickRampTable, full: 1000, few: 1000 },
  { simulate: ruleTable, full: 1000, few: 60 },
  { simulate: driftTable, full: 1000, few: 200 },
  { simulate: splitTable, full: 1000, few: 100 },
  { simulate: splitOverStepsTable, full: 1000, few: 150 },
  { simulate: costPeekingTable, full: 600, few: 150 },
  { simulate: costDriftTable, full: 600, few: 300 },
  { simulate: costPerSuccessTable, full: 600, few: 100 },
  { simulate: zTestTable, full: 1500, few: 1500 },
  { simulate: smallTeamTable, full: 1500, few: 1500 },
  { simulate: pairedQualityTable, full: 4000, few: 1000 },
  { simulate: pairedCostTable, full: 400, few: 100 },
];

/** Simulates every table. Seeds are fixed: the same runs give the same figures. */
export function simulateTables(runs: "full" | "few"): readonly Table[] {
  return simulations.map((simulation) => simulation.simulate(simulation[runs]));
}
