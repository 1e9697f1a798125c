// `npm run bench:storm`.
import { start } from "./start.js";

start("bench/storm.js", ["redis"]);
