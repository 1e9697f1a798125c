// `npm run test:sim`.
import { start } from "./start.js";

/** What a part of the simulation needs that is no npm package. */
const needs = { "--model": ["spin"], "--differential": ["redis"] };

start(
  "bench/simulation/sim.js",
  Object.entries(needs).flatMap(([flag, programs]) => (process.argv.includes(flag) ? programs : [])),
);
