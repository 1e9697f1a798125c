import { automationDashboard } from "./automation-dashboard.ts";
import { batchesDashboard } from "./batches-dashboard.ts";
import { cachingDashboard } from "./caching-dashboard.ts";
import { costDashboard } from "./cost-dashboard.ts";
import { rolloutDashboard } from "./rollout-dashboard.ts";
import { securityDashboard } from "./security-dashboard.ts";

/** File name and text of every dashboard, as they lie in `grafana/dashboards`. */
export function dashboardFiles(): readonly { readonly name: string; readonly text: string }[] {
  return [
    { name: "cost-and-budgets.json", text: `${JSON.stringify(costDashboard(), null, 2)}\n` },
    { name: "prompt-caching.json", text: `${JSON.stringify(cachingDashboard(), null, 2)}\n` },
    { name: "batches-and-tickets.json", text: `${JSON.stringify(batchesDashboard(), null, 2)}\n` },
    { name: "model-rollout.json", text: `${JSON.stringify(rolloutDashboard(), null, 2)}\n` },
    { name: "security.json", text: `${JSON.stringify(securityDashboard(), null, 2)}\n` },
    { name: "automation.json", text: `${JSON.stringify(automationDashboard(), null, 2)}\n` },
  ];
}
