// `npm run test:chaos`.
import { start } from "./start.js";

start("bench/chaos/chaos.js", ["redis"]);
