import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "@jest/globals";
import { replaceAddresses } from "./replace-addresses.ts";

const change = {
  runbookUrl: { from: "http://localhost:9097", to: "https://runbookd.example/base" },
  dashboardUrl: { from: "http://localhost:3000", to: "https://grafana.example" },
};

it.each([
  ["  runbook_url: http://localhost:9097/runbooks/a", "  runbook_url: https://runbookd.example/base/runbooks/a"],
  ['  runbook_url: "http://localhost:9097/doctor#A" # x', '  runbook_url: "https://runbookd.example/base/doctor#A" # x'],
  ["\trunbook_url: 'http://localhost:9097'\r", "\trunbook_url: 'https://runbookd.example/base'\r"],
  ["dashboard_url: http://localhost:3000/d/a", "dashboard_url: https://grafana.example/d/a"],
  ["runbook_url: http://localhost:3000/d/a", "runbook_url: http://localhost:3000/d/a"],
  ["runbook_url: http://localhost:90971/runbooks/a", "runbook_url: http://localhost:90971/runbooks/a"],
  ["runbook_url: http://localhost:9097.evil.example/a", "runbook_url: http://localhost:9097.evil.example/a"],
  ["runbook_url: https://wiki.example/http://localhost:9097/a", "runbook_url: https://wiki.example/http://localhost:9097/a"],
  ["description: runbook_url: http://localhost:9097/a", "description: runbook_url: http://localhost:9097/a"],
  ["- url: http://localhost:9097/webhooks/alertmanager", "- url: http://localhost:9097/webhooks/alertmanager"],
])("%j becomes %j", (line, result) => {
  expect(replaceAddresses(`a\n${line}\nb\n`, change)).toBe(`a\n${result}\nb\n`);
});

it("leaves dashboards without an address for them", () => {
  const line = "dashboard_url: http://localhost:3000/d/a";
  expect(replaceAddresses(line, { runbookUrl: change.runbookUrl })).toBe(line);
});

it("reaches every address of the shipped rules, and changes nothing else", () => {
  for (const folder of ["rules", "tests"]) {
    const place = new URL(`../../../alerts/${folder}/`, import.meta.url);
    for (const name of readdirSync(place)) {
      const text = readFileSync(new URL(name, place), "utf8");
      const changed = replaceAddresses(text, change);
      expect(changed).not.toMatch(/_url: *"?http:\/\/localhost/u);
      expect(replaceAddresses(changed, { runbookUrl: swap(change.runbookUrl), dashboardUrl: swap(change.dashboardUrl) })).toBe(text);
    }
  }
});

function swap({ from, to }: { readonly from: string; readonly to: string }) {
  return { from: to, to: from };
}
