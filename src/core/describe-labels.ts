import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import { oneLine } from "./one-line.ts";

/** Labels on one line as a query writes them: `budget="checkout", severity="critical"`. */
export function describeLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${oneLine(name)}=${JSON.stringify(oneLine(value))}`)
    .join(", ");
}
