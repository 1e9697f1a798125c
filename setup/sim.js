// `npm run test:sim`.
import { start } from "./start.js";

start("bench/simulation/sim.js", []);
