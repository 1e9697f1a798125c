import type { Diagnostic, Runbook, Trigger } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../../core/action.ts";
import { matchesValue } from "../../core/matcher.ts";
import { checkRunbookSet } from "../check-runbook-set.ts";
import { labelsRead } from "../expressions/labels-read.ts";
import { createLocator } from "../parse/locate.ts";
import { descendants, parseMarkdown, spanOf } from "../parse/markdown.ts";
import { findMarkdownCost } from "../parse/markdown-cost.ts";
import { maxDocumentBytes, parseRunbook, runbookIdOf } from "../parse/parse-runbook.ts";
import { nearest, oneOf } from "../parse/reporter.ts";
import { type AlertRule, readAlertRules } from "../rules/alert-rules.ts";
import { checkRouting, staticValue } from "../rules/check-routing.ts";
import type { TextFile } from "../text-file.ts";
import { findLimitFaults } from "./find-limit-faults.ts";
import { findLoweringFaults } from "./find-lowering-faults.ts";

/** Everything that lint looks at, as texts. Paths have `/` and share one root. */
export interface LintInput {
  readonly runbooks: readonly TextFile[];
  /** Prometheus rule files; when there are none, the link between alerts and runbooks is not checked. */
  readonly rules: readonly TextFile[];
  /** Where rules were looked for, when that place exists. */
  readonly rulesPlace?: string;
  readonly alertmanager?: TextFile;
  /** Severities of other people by what they mean here, e.g. `page: critical`. */
  readonly severities?: Readonly<Record<string, string>>;
  readonly catalogue: ActionCatalogue;
  /** Limits that the configuration sets, by name; the defaults hold for the others. */
  readonly limits?: { readonly [limit: string]: number };
  /** Whether a path below the same root exists, for relative links. */
  readonly exists: (path: string) => boolean;
}

/** How much of one document the machine does. */
export interface DocumentShare {
  readonly file: string;
  readonly id: string;
  readonly steps: number;
  readonly automated: number;
}

/** What lint found, in the order of files and lines. */
export interface LintReport {
  readonly diagnostics: readonly Diagnostic[];
  /** How many alerting rules were read and compared with the documents. */
  readonly alerts: number;
  readonly documents: readonly DocumentShare[];
  /** The runbooks without errors of their own. */
  readonly runbooks: readonly Runbook[];
}

/** Checks a folder of runbooks together with alert rules and Alertmanager's routes. Pure; every fault is told at once. */
export function lintFolder(input: LintInput): LintReport {
  const parsed = input.runbooks.map(({ file, source, fault }) =>
    fault === undefined ? parseRunbook({ file, source, catalogue: input.catalogue }) : { diagnostics: [fault] },
  );
  const runbooks = parsed.flatMap((one) => (one.runbook === undefined ? [] : [one.runbook]));
  const { rules, diagnostics: ruleFaults } = readAlertRules(input.rules.filter(({ fault }) => fault === undefined));
  const ids = input.runbooks.map((file) => runbookIdOf(file.file));
  const diagnostics = [
    ...parsed.flatMap((one) => one.diagnostics),
    ...input.runbooks.flatMap((file) => deadLinks(file, input.exists)),
    ...checkRunbookSet(runbooks),
    ...runbooks.flatMap((runbook) => findLimitFaults(runbook, { catalogue: input.catalogue, limits: input.limits ?? {} })),
    ...runbooks.flatMap((runbook) => findLoweringFaults(runbook, input.catalogue)),
    ...ruleFaults,
    ...[...input.rules, ...(input.alertmanager === undefined ? [] : [input.alertmanager])].flatMap(({ fault }) => fault ?? []),
    ...noRules(input, rules),
    ...rules.flatMap((rule) => checkSeverity(rule, input.severities ?? {})),
    ...rules.flatMap((rule) => checkAlert(rule, runbooks, ids)),
    // A file that cannot be read may hold the rule that is missed.
    ...(input.rules.length > 0 && input.rules.every(({ fault }) => fault === undefined)
      ? runbooks.flatMap((runbook) => checkAgainstRules(runbook, rules))
      : []),
    ...(input.alertmanager === undefined || input.alertmanager.fault !== undefined ? [] : checkRouting(input.alertmanager, rules)),
  ];
  return {
    diagnostics: diagnostics.toSorted(byPlace),
    alerts: rules.length,
    documents: runbooks.map(shareOf),
    runbooks,
  };
}

/** Steps with an action, of all steps. */
export function shareOf(runbook: Runbook): DocumentShare {
  const automated = runbook.steps.filter((step) => step.action !== undefined).length;
  return { file: runbook.file, id: runbook.id, steps: runbook.steps.length, automated };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.position.line - b.position.line || a.position.column - b.position.column;
}

function fault({ file, position, rule, message, accepted }: Omit<Diagnostic, "severity">): Diagnostic {
  return { file, position, severity: "error", rule, message, accepted };
}

/** Without a single rule nothing was proven about alerts, and a folder that is there was meant to be read. */
function noRules({ rulesPlace, rules: files }: LintInput, rules: readonly AlertRule[]): Diagnostic[] {
  if (rulesPlace === undefined || rules.length > 0 || files.some(({ fault }) => fault !== undefined)) return [];
  const message = "No alerting rule was read in there, so nothing was compared with alerts.";
  const accepted = "rule files that end in .yml or .yaml, with `groups` or as PrometheusRule objects";
  return [{ ...fault({ file: rulesPlace, position: { line: 1, column: 1 }, rule: "no-rules", message, accepted }), severity: "warning" }];
}

const knownSeverities = ["critical", "warning", "info"];

function checkSeverity(rule: AlertRule, mapped: Readonly<Record<string, string>>): Diagnostic[] {
  const severity = rule.labels["severity"];
  if (severity !== undefined && (knownSeverities.includes(severity) || Object.hasOwn(mapped, severity))) return [];
  const accepted = `${oneOf(knownSeverities)}${severity === undefined ? "" : `, or \`severities: { ${severity}: critical }\` in runbookd.yml`}`;
  const [file, position] = [rule.file, rule.positionOf("labels", "severity")];
  return [fault({ file, position, rule: "alert-severity", message: `\`${rule.name}\` has no known severity.`, accepted })];
}

function checkAlert(rule: AlertRule, runbooks: readonly Runbook[], ids: readonly string[]): Diagnostic[] {
  const { file, position, name } = rule;
  const diagnostics: Diagnostic[] = [];
  const id = rule.labels["runbook"];
  const at = rule.positionOf("labels", "runbook");
  if (id === undefined) {
    diagnostics.push(
      fault({
        file,
        position,
        rule: "alert-without-runbook",
        message: `\`${name}\` has no label \`runbook\`.`,
        accepted: "`runbook: <id>` of a document, or `runbook: none`",
      }),
    );
    return diagnostics;
  }
  if (id === "none") return diagnostics;
  if (!ids.includes(id)) {
    const meant = nearest(id, ids);
    diagnostics.push(
      fault({
        file,
        position: at,
        rule: "alert-unknown-runbook",
        message: `\`${name}\` names the runbook \`${id}\`, which is not there.`,
        accepted: meant === undefined ? `${oneOf(ids)}, or \`none\`` : `\`${meant}\`, another document, or \`none\``,
      }),
    );
    return diagnostics;
  }
  const runbook = runbooks.find((one) => one.id === id);
  if (runbook !== undefined && !runbook.triggers.some((trigger) => canTrigger(trigger, rule))) {
    diagnostics.push(
      fault({
        file,
        position: at,
        rule: "alert-not-triggering",
        message: `\`${name}\` names the runbook \`${id}\`, and none of its triggers matches the alert.`,
        accepted: `\`- ${name}\` among the triggers of ${runbook.file}, or \`runbook: none\``,
      }),
    );
  }
  const url = rule.annotations["runbook_url"];
  if (url === undefined) return diagnostics;
  const urlAt = rule.positionOf("annotations", "runbook_url");
  const slug = (/^[^?#]*/u.exec(url)?.[0] ?? "")
    .replace(/\/+$/u, "")
    .split("/")
    .at(-1)
    ?.replace(/\.(?:md|html)$/u, "");
  if (url.includes("{{"))
    diagnostics.push(
      fault({
        file,
        position: urlAt,
        rule: "runbook-url",
        message: `The runbook_url of \`${name}\` is a template.`,
        accepted: "a literal URL, so that a wrong name shows",
      }),
    );
  else if (slug !== id)
    diagnostics.push(
      fault({
        file,
        position: urlAt,
        rule: "runbook-url",
        message: `The runbook_url of \`${name}\` leads to \`${slug ?? ""}\` and its runbook is \`${id}\`.`,
        accepted: `a URL that ends in \`${id}\``,
      }),
    );
  return diagnostics;
}

/** Whether some alert of the rule can satisfy the trigger. */
export function canTrigger(trigger: Trigger, rule: AlertRule): boolean {
  return trigger.matchers.every((matcher) => {
    const value = staticValue(rule, matcher.label);
    return value === undefined || matchesValue(matcher, value);
  });
}

function checkAgainstRules(runbook: Runbook, rules: readonly AlertRule[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const trigger of runbook.triggers) {
    const alerts = rules.filter((rule) => canTrigger(trigger, rule));
    if (alerts.length === 0) {
      const name = trigger.matchers.find((matcher) => matcher.label === "alertname")?.value ?? "";
      const meant = nearest(
        name,
        rules.map((rule) => rule.name),
      );
      diagnostics.push(
        fault({
          file: runbook.file,
          position: trigger.position,
          rule: "trigger-without-alert",
          message: `No alert rule can satisfy \`${trigger.source}\`.`,
          accepted: meant === undefined ? "the name of an alert of the rule files" : `\`${meant}\`, or another alert of the rule files`,
        }),
      );
    }
    for (const alert of alerts) {
      const id = alert.labels["runbook"];
      if (id === undefined || id === runbook.id) continue;
      diagnostics.push(
        fault({
          file: runbook.file,
          position: trigger.position,
          rule: "trigger-of-other-runbook",
          message: `\`${trigger.source}\` matches \`${alert.name}\`, whose label says \`runbook: ${id}\` (${alert.file}:${alert.position.line}).`,
          accepted: `\`runbook: ${runbook.id}\` there, or a narrower trigger here`,
        }),
      );
    }
  }
  const alerts = rules.filter((rule) => runbook.triggers.some((trigger) => canTrigger(trigger, rule)));
  if (alerts.length > 0) diagnostics.push(...checkLabels(runbook, alerts));
  return diagnostics;
}

function checkLabels(runbook: Runbook, alerts: readonly AlertRule[]): Diagnostic[] {
  const reported = new Set<string>();
  return labelsRead(runbook).flatMap(({ kind, name, position, needed }): Diagnostic[] => {
    const key = `${kind}.${name}`;
    const without = alerts.filter((alert) => !canHave(alert, kind, name));
    if (without.length === 0 || reported.has(key)) return [];
    reported.add(key);
    const missing = `\`alert.${key}\``;
    if (without.length === alerts.length) {
      return [
        fault({
          file: runbook.file,
          position,
          rule: "unknown-label",
          message: `No alert that starts this runbook has ${missing}.`,
          accepted: labelsOf(alerts, kind),
        }),
      ];
    }
    if (!needed) return [];
    const names = without.map((alert) => `\`${alert.name}\``).join(", ");
    return [
      {
        ...fault({
          file: runbook.file,
          position,
          rule: "label-sometimes-missing",
          message: `${names} never has ${missing}, so its run cannot go on.`,
          accepted: "a parameter with `from` and `default`, or a trigger that leaves the alert out",
        }),
        severity: "warning",
      },
    ];
  });
}

function canHave(alert: AlertRule, kind: "labels" | "annotations", name: string): boolean {
  if (kind === "annotations") return Object.hasOwn(alert.annotations, name);
  return name === "alertname" || Object.hasOwn(alert.labels, name) || alert.produced === undefined || alert.produced.has(name);
}

function labelsOf(alerts: readonly AlertRule[], kind: "labels" | "annotations"): string {
  const names = alerts.flatMap((alert) =>
    kind === "annotations" ? Object.keys(alert.annotations) : [...Object.keys(alert.labels), ...(alert.produced ?? [])],
  );
  return oneOf([...new Set(names)].toSorted());
}

function deadLinks({ file, source }: TextFile, exists: (path: string) => boolean): Diagnostic[] {
  const skipped = source.startsWith("\uFEFF") ? 1 : 0;
  const locator = createLocator(source);
  if (source.length > maxDocumentBytes || findMarkdownCost(source.slice(skipped)) !== undefined) return [];
  return [...descendants(parseMarkdown(source.slice(skipped)))].flatMap((node): Diagnostic[] => {
    if (node.type !== "link" && node.type !== "image" && node.type !== "definition") return [];
    const path = /^[^?#]*/u.exec(node.url)?.[0] ?? "";
    if (path === "" || path.startsWith("/") || /^[a-z][a-z0-9+.-]*:/iu.test(path)) return [];
    const resolved = resolvePath(file, path);
    if (resolved !== undefined && exists(resolved)) return [];
    return [
      fault({
        file,
        position: locator.positionOf(spanOf(node).start + skipped),
        rule: "dead-link",
        message: `The link leads to \`${path}\`, which is not there.`,
        accepted: "a path relative to this document",
      }),
    ];
  });
}

/** A relative path seen from a file; undefined when it leaves the root. */
function resolvePath(file: string, path: string): string | undefined {
  const parts = file.split("/").slice(0, -1);
  for (const part of decode(path).split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
