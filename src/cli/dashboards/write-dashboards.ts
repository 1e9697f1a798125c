import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboardFiles } from "./dashboard-files.ts";

// `npm run dashboards`: writes grafana/dashboards from this folder.
const folder = join(process.argv[2] ?? ".", "grafana/dashboards");
mkdirSync(folder, { recursive: true });
for (const { name, text } of dashboardFiles()) writeFileSync(join(folder, name), text);
