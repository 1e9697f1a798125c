import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";

const maxLabels = 30;
const maxCharacters = 2000;

/** The first labels apart from the alert's name, as far as a list can show them; `clean` makes text short and fit to be shown. */
export function shortLabels(labels: Labels, clean: (text: string, max: number) => string): Labels {
  const short: [string, string][] = [];
  let characters = 0;
  for (const [name, value] of Object.entries(labels)) {
    if (name === "alertname") continue;
    const label: [string, string] = [clean(name, 100), clean(value, 200)];
    characters += label[0].length + label[1].length;
    if (short.length === maxLabels || characters > maxCharacters) break;
    short.push(label);
  }
  return Object.fromEntries(short);
}
