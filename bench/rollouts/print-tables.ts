import { parseArgs } from "node:util";
import { disagreements, renderTable } from "./compare-table.ts";
import { simulateTables } from "./tables.ts";

const { values } = parseArgs({ options: { few: { type: "boolean", default: false }, json: { type: "boolean", default: false } } });
const tables = simulateTables(values.few ? "few" : "full");
const faults = tables.flatMap(disagreements);
if (values.json) process.stdout.write(`${JSON.stringify({ tables, faults })}\n`);
else {
  for (const table of tables) process.stdout.write(`${renderTable(table)}\n`);
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${((user + system) / 1e6).toFixed(0)} s of CPU. `);
  process.stdout.write(
    faults.length === 0 ? "Every figure agrees with its reference.\n" : `Away from the reference:\n${faults.join("\n")}\n`,
  );
}
process.exitCode = faults.length === 0 ? 0 : 1;
