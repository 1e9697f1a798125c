import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { Labels } from "../../../packages/sdk/src/wire/alerts.ts";
import { formatDuration } from "../../core/duration.ts";

/** Series in promtool's notation, and the alert that they are to make fire. */
export interface RuleCase {
  readonly alertname: string;
  /** How long after the first sample it is looked at. */
  readonly atMs: number;
  readonly intervalMs: number;
  readonly series: readonly { readonly series: string; readonly values: string }[];
}

/** An alert as the rule words it. */
export interface FiredAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
}

/** What the rules made of the series. `unavailable`: promtool is not there or could not read them; the reason is its own. */
export type RuleResult =
  | { readonly kind: "fired"; readonly alerts: readonly FiredAlert[] }
  | { readonly kind: "unavailable"; readonly reason: string };

const run = promisify(execFile);
const withinMs = 20_000;

/**
 * Lets `promtool test rules` evaluate rule files on given series and answers the alerts that fire. promtool only says what it got when something
 * else was expected, so we expect nothing and read its complaint.
 * https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 */
export async function fireRule(
  rule: RuleCase,
  { promtool, ruleFiles, path }: { readonly promtool: string; readonly ruleFiles: readonly string[]; readonly path: string },
): Promise<RuleResult> {
  const folder = await mkdtemp(join(tmpdir(), "runbookd-rule-"));
  try {
    const file = join(folder, "case.test.yml");
    await writeFile(file, stringify(testOf(rule, ruleFiles)));
    const output = await run(promtool, ["test", "rules", file], { timeout: withinMs, maxBuffer: 4 << 20, env: { PATH: path } }).then(
      ({ stdout, stderr }) => stdout + stderr,
      outputOfFailure,
    );
    return readComplaint(output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function testOf({ alertname, atMs, intervalMs, series }: RuleCase, ruleFiles: readonly string[]): object {
  const interval = formatDuration(intervalMs);
  return {
    rule_files: ruleFiles,
    evaluation_interval: interval,
    tests: [{ interval, input_series: series, alert_rule_test: [{ eval_time: formatDuration(atMs), alertname, exp_alerts: [] }] }],
  };
}

function outputOfFailure(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const text = (name: string) => (name in error ? String(Reflect.get(error, name)) : "");
  const output = text("stdout") + text("stderr");
  return output.trim() === "" ? text("message") : output;
}

/** What promtool printed: success means that nothing fired, a difference lists what did. Pure. */
export function readComplaint(output: string): RuleResult {
  if (/^\s*SUCCESS\s*$/m.test(output)) return { kind: "fired", alerts: [] };
  const labels = [...output.matchAll(/^\s*Labels:\{(.*)\}\s*$/gm)].map(([, text = ""]) => pairsOf(text));
  const annotations = [...output.matchAll(/^\s*Annotations:\{(.*)\}\s*$/gm)].map(([, text = ""]) => pairsOf(text));
  if (!/^\s*FAILED:/m.test(output) || labels.length === 0) return { kind: "unavailable", reason: output.trim().slice(-500) };
  return { kind: "fired", alerts: labels.map((one, index) => ({ labels: one, annotations: annotations[index] ?? {} })) };
}

/** `a="x", b="y\"z"` as Go quotes it. */
function pairsOf(text: string): Labels {
  return Object.fromEntries(
    [...text.matchAll(/([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*")/g)].map(([, name = "", quoted = '""']) => [name, unquote(quoted)]),
  );
}

/** Go's quoting is JSON's but for \a, \v, \x and \U, which no rule of ours produces; they stay as they were printed. */
function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}
