// `npm run demo`.
import { start } from "./start.js";

start("src/demo/main.js", ["redis", "prometheus", "alertmanager"]);
