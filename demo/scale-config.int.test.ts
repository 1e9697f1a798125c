import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parseDuration } from "../src/core/duration.ts";
import { findProgram } from "./find-program.ts";
import { placeAlertmanagerConfig, placePrometheusConfig, scaleConfig } from "./scale-config.ts";

const alerts = join(import.meta.dirname, "../alerts");
const read = (path: string) => readFileSync(join(alerts, path), "utf8");
const ruleFiles = readdirSync(join(alerts, "rules")).map((name) => `rules/${name}`);

/** Durations by themselves: not part of a name such as ratio1h, and not in texts for people. */
const durationsIn = (text: string) =>
  text
    .split("\n")
    .filter((line) => !/^\s*(#|summary|description|- record|keep_firing_for)/.test(line))
    .flatMap((line) =>
      [...line.matchAll(/(?<![\w:.])((?:\d+(?:ms|[smhdwy]))+)(?!\w)/g)].map((match) => parseDuration(match[1] ?? "") ?? Number.NaN),
    );

describe.each(["prometheus.yml", "alertmanager.yml", ...ruleFiles])("%s", (path) => {
  it("has every duration divided", () => {
    const before = durationsIn(read(path));
    const after = durationsIn(scaleConfig(read(path), 60));
    expect(after).toEqual(before.map((ms) => (ms === 0 ? 0 : Math.max(1, Math.round(ms / 60)))));
  });

  it("is the same after a division by one, but for notation", () => {
    expect(durationsIn(scaleConfig(read(path), 1))).toEqual(durationsIn(read(path)));
  });
});

it("lets scrapes take longer on a busy machine, where factors are small", () => {
  expect(scaleConfig("scrape_interval: 15s", 60)).toBe("scrape_interval: 250ms\n");
  expect(scaleConfig("scrape_interval: 15s", 21)).toBe("scrape_interval: 1s299ms\n");
  expect(scaleConfig("evaluation_interval: 15s", 21)).toBe("evaluation_interval: 714ms\n");
});

it("keeps an alert through scrapes that fail, however large the factor is", () => {
  expect(scaleConfig("keep_firing_for: 5m", 60)).toBe("keep_firing_for: 5s\n");
  expect(scaleConfig("keep_firing_for: 30s", 60)).toBe("keep_firing_for: 3s\n");
  expect(scaleConfig("keep_firing_for: 1s", 60)).toBe("keep_firing_for: 1s\n");
});

it("divides what seconds are compared with", () => {
  expect(scaleConfig(read("rules/cost.rules.yml"), 60)).toContain("(llm_budget_period_remaining_seconds) > (86400) / 60");
  expect(scaleConfig(read("rules/batch.rules.yml"), 60)).toContain("> (90000) / 60");
});

it("says which duration it cannot read", () => {
  expect(() => scaleConfig("group_wait: soon", 60)).toThrow('"soon" is no duration');
  expect(() => scaleConfig("a: [", 60)).toThrow("Not YAML");
});

it("refuses to place what is not there", () => {
  expect(() => placePrometheusConfig("global: {}", { targets: [], alertmanager: "x:1" })).toThrow("has no scrape_configs");
  expect(() => placeAlertmanagerConfig("global: {smtp_smarthost: x}", { webhookUrl: "http://x", smtp: "y:1" })).toThrow(
    "no receiver runbookd",
  );
});

describe("the rendered files", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rb-scale-"));
    mkdirSync(join(folder, "rules"));
    for (const path of ruleFiles) writeFileSync(join(folder, path), scaleConfig(read(path), 60));
    const places = { targets: ["127.0.0.1:1"], alertmanager: "127.0.0.1:2" };
    writeFileSync(join(folder, "prometheus.yml"), placePrometheusConfig(scaleConfig(read("prometheus.yml"), 60), places));
    const hook = { webhookUrl: "http://127.0.0.1:3/webhooks/alertmanager", smtp: "127.0.0.1:4" };
    writeFileSync(join(folder, "alertmanager.yml"), placeAlertmanagerConfig(scaleConfig(read("alertmanager.yml"), 60), hook));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are accepted by promtool, with every rule file found", () => {
    const said = execFileSync(findProgram("promtool"), ["check", "config", join(folder, "prometheus.yml")], {
      encoding: "utf8",
      stdio: "pipe",
    });
    expect(said).toContain(`${ruleFiles.length} rule files found`);
    expect(readFileSync(join(folder, "prometheus.yml"), "utf8")).not.toContain("localhost");
  });

  it("are accepted by amtool", () => {
    const said = execFileSync(findProgram("amtool"), ["check-config", join(folder, "alertmanager.yml")], {
      encoding: "utf8",
      stdio: "pipe",
    });
    expect(said).toContain("SUCCESS");
    expect(readFileSync(join(folder, "alertmanager.yml"), "utf8")).not.toMatch(/localhost:\d/);
  });
});
