import { parser } from "@prometheus-io/lezer-promql";
import { isMap, isNode, isScalar, isSeq, LineCounter, type YAMLMap } from "yaml";
import type { Diagnostic, Position } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { TextFile } from "../text-file.ts";
import { readGoYaml, textOf } from "./go-yaml.ts";
import { producedLabels, recordedLabels } from "./produced-labels.ts";

/** One alerting rule of a rule file. */
export interface AlertRule {
  readonly file: string;
  readonly name: string;
  readonly position: Position;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Labels that its alerts can have beside the static ones; undefined when the expression does not tell. */
  readonly produced: ReadonlySet<string> | undefined;
  /** Where a label or annotation is written; where the rule begins when it is not. */
  positionOf(kind: "labels" | "annotations", key: string): Position;
}

/** What rule files say. */
export interface RuleReading {
  readonly rules: readonly AlertRule[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The alerting rules of Prometheus rule files and of PrometheusRule objects (monitoring.coreos.com/v1), several documents in one file included, and what
 * could not be read in them. Recording rules are used to tell labels.
 */
export function readAlertRules(files: readonly TextFile[]): RuleReading {
  const diagnostics: Diagnostic[] = [];
  const written = files.flatMap((file) => readRuleFile(file, diagnostics));
  const recorded = recordedLabels(
    written.flatMap(({ record, expr, labels }) => (record === undefined ? [] : [{ record, expr, labels: Object.keys(labels) }])),
  );
  const rules = written.flatMap((rule): AlertRule[] => {
    if (rule.alert === undefined) return [];
    const { file, expr, labels, annotations, position, positionOf } = rule;
    return [{ file, name: rule.alert, position, expr, labels, annotations, positionOf, produced: producedLabels(expr, recorded) }];
  });
  return { rules, diagnostics };
}

interface WrittenRule extends Pick<AlertRule, "file" | "expr" | "labels" | "annotations" | "position" | "positionOf"> {
  readonly alert?: string;
  readonly record?: string;
}

interface RuleFile {
  readonly file: string;
  readonly positionAt: (offset: number) => Position;
  readonly report: (severity: Diagnostic["severity"], at: number, what: Pick<Diagnostic, "message" | "accepted">) => void;
}

function readRuleFile({ file, source }: TextFile, diagnostics: Diagnostic[]): WrittenRule[] {
  const counter = new LineCounter();
  const { documents, faults } = readGoYaml(source, counter);
  const positionAt = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report: RuleFile["report"] = (severity, at, what) => {
    diagnostics.push({ file, position: positionAt(at), severity, rule: "rule-file", ...what });
  };
  for (const { offset, message } of faults) report("error", offset, { message, accepted: "a rule file that promtool accepts" });
  const context = { file, positionAt, report };
  const roots = documents.flatMap((document) => (isMap(document.contents) ? objectsOf(document.contents, context) : []));
  const groups = roots.flatMap((root) => groupsOf(root, context));
  if (groups.length === 0 && !roots.some(isOtherObject) && faults.length === 0)
    report("warning", 0, { message: "The file holds no group of rules.", accepted: "`groups`, or a PrometheusRule object" });
  return groups.flatMap((group) =>
    mapsIn(group.get("rules", true), "rule", context).flatMap((rule) => {
      const what = writtenRule(rule, group, context);
      if (what.alert === undefined && what.record === undefined)
        report("error", rule.range?.[0] ?? 0, {
          message: "The rule has neither `alert` nor `record`.",
          accepted: "one of them, with a name",
        });
      return [what];
    }),
  );
}

/** The objects of a list, one by one: what is none is told, and costs none of the others. */
function mapsIn(list: unknown, what: "object" | "group" | "rule", { report }: RuleFile): readonly YAMLMap[] {
  if (!isSeq(list)) {
    const isEmpty = list === undefined || (isScalar(list) && list.value === null);
    if (!isEmpty) report("error", rangeOf(list), { message: `The ${what}s are no list.`, accepted: `a list of ${what}s` });
    return [];
  }
  return list.items.flatMap((item): readonly YAMLMap[] => {
    if (isMap(item)) return [item];
    report("error", rangeOf(item), { message: `This is no ${what}, so it is left out.`, accepted: `a ${what} with its fields` });
    return [];
  });
}

function rangeOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** The objects of a document: itself, or the items of a Kubernetes list. */
function objectsOf(root: YAMLMap, context: RuleFile): readonly YAMLMap[] {
  const items = root.get("items", true);
  return isSeq(items) && isKind(root, /List$/u) ? mapsIn(items, "object", context) : [root];
}

function groupsOf(root: YAMLMap, context: RuleFile): readonly YAMLMap[] {
  const holder = isKind(root, /^PrometheusRule$/u) ? root.get("spec", true) : root;
  return isMap(holder) && !isOtherObject(root) ? mapsIn(holder.get("groups", true), "group", context) : [];
}

/** Whether this is an object of Kubernetes that holds no rules, as kustomizations and lists of files are. */
function isOtherObject(root: YAMLMap): boolean {
  return isKind(root, /^(?!PrometheusRule$)/u);
}

function isKind(root: YAMLMap, kind: RegExp): boolean {
  const written = root.get("kind");
  return typeof written === "string" && kind.test(written);
}

function writtenRule(rule: YAMLMap, group: YAMLMap, context: RuleFile): WrittenRule {
  const { file, positionAt } = context;
  const position = positionAt(rule.range?.[0] ?? 0);
  const alert = textOf(rule.get("alert", true));
  const record = textOf(rule.get("record", true));
  checkQuery(rule, alert ?? record ?? "", context);
  return {
    file,
    position,
    expr: textOf(rule.get("expr", true)) ?? "",
    labels: { ...textMap(group.get("labels", true)), ...textMap(rule.get("labels", true)) },
    annotations: textMap(rule.get("annotations", true)),
    positionOf: (kind, key) => {
      const maps = [rule.get(kind, true), ...(kind === "labels" ? [group.get(kind, true)] : [])];
      const value = maps.map((map) => (isMap(map) ? map.get(key, true) : undefined)).find(isScalar);
      return value?.range == null ? position : positionAt(value.range[0]);
    },
    ...(alert !== undefined && { alert }),
    ...(record !== undefined && { record }),
  };
}

/** Functions that Prometheus 2 has by another name than the grammar of Prometheus 3. */
const renamedFunctions: Readonly<Record<string, string>> = { holt_winters: "double_exponential_smoothing" };
const renamedCall = new RegExp(`\\b(?:${Object.keys(renamedFunctions).join("|")})(?=\\s*\\()`, "gu");

function checkQuery(rule: YAMLMap, name: string, { report }: RuleFile): void {
  const node = rule.get("expr", true);
  const expr = textOf(node) ?? "";
  const at = (isScalar(node) ? node.range?.[0] : undefined) ?? rule.range?.[0] ?? 0;
  if (expr.trim() === "") {
    report("error", at, { message: `\`${name}\` has no expression.`, accepted: "`expr` with a PromQL query" });
    return;
  }
  const renamed = expr.replaceAll(renamedCall, (old) => renamedFunctions[old] ?? old);
  const errorAt = firstErrorOf(renamed);
  if (errorAt !== undefined) {
    const rest = renamed
      .slice(errorAt, errorAt + 40)
      .replaceAll(/\s+/gu, " ")
      .trim();
    report("error", at, {
      message: `The expression of \`${name}\` is no PromQL${rest === "" ? ": it ends too early" : ` from \`${rest}\` on`}.`,
      accepted: "an expression that promtool accepts",
    });
  }
  for (const old of new Set(expr.match(renamedCall)))
    report("warning", at, {
      message: `The expression of \`${name}\` calls \`${old}\`, which only Prometheus 2 knows.`,
      accepted: `\`${renamedFunctions[old] ?? ""}\` in Prometheus 3`,
    });
}

function firstErrorOf(query: string): number | undefined {
  let errorAt: number | undefined;
  parser.parse(query).iterate({
    enter: ({ node }) => {
      if (node.type.isError) errorAt ??= node.from;
    },
  });
  return errorAt;
}

function textMap(node: unknown): Readonly<Record<string, string>> {
  if (!isMap(node)) return {};
  return Object.fromEntries(
    node.items.flatMap((item): [string, string][] => {
      const [key, value] = [textOf(item.key), textOf(item.value)];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}
