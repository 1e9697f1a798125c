import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { fireRule } from "../integrations/prometheus/fire-rule.ts";
import type { Rehearsal } from "../rehearsal/rehearsal.ts";

/** Where rules and promtool are. */
export interface RuleSources {
  readonly workingDirectory: string;
  /** Folder of `*.rules.yml`. */
  readonly rules: string;
  readonly path: string;
}

/** A rehearsal with the alert that its rule made of its series, or one sentence on why there is none. */
export type FiredRehearsal = { readonly ok: true; readonly rehearsal: Rehearsal } | { readonly ok: false; readonly reason: string };

/** Lets the rules that ship beside the runbooks word the alert of a rehearsal that gives series; any other is answered as it is. */
export async function fireRehearsal(rehearsal: Rehearsal, { workingDirectory, rules, path }: RuleSources): Promise<FiredRehearsal> {
  const { rule } = rehearsal;
  if (rule === undefined) return { ok: true, rehearsal };
  const folder = resolve(workingDirectory, rules);
  const result = await fireRule(rule, { promtool: "promtool", ruleFiles: ruleFilesIn(folder), path });
  if (result.kind === "unavailable") return { ok: false, reason: `alert: promtool could not evaluate ${rules}: ${result.reason}` };
  const fitting = result.alerts.filter(({ labels }) => Object.entries(rule.labels).every(([name, value]) => labels[name] === value));
  const [alert, another] = fitting;
  if (alert === undefined) return { ok: false, reason: `alert: ${rule.alertname} does not fire on these series` };
  if (another !== undefined)
    return { ok: false, reason: `alert: ${fitting.length} alerts ${rule.alertname} fire; say by \`labels\` which one is meant` };
  return { ok: true, rehearsal: { ...rehearsal, alert } };
}

function ruleFilesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".rules.yml"))
      .map((name) => resolve(folder, name));
  } catch {
    return [];
  }
}
