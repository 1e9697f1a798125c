// The tables of docs/rollout-decisions.md, with as many runs as their reference: `node setup/rollout-tables.js [--few] [--json]`.
import { start } from "./start.js";

start("bench/rollouts/print-tables.js", []);
