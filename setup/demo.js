// `npm run demo`.
import { start } from "./start.js";

start("demo/main.js", ["redis", "prometheus", "alertmanager"]);
