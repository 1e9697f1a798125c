// `npm run bench`.
import { start } from "./start.js";

start("bench/bench.js", ["redis"]);
