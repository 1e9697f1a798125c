import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, type YAMLMap } from "yaml";
import type { Diagnostic, Position } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { TextFile } from "../text-file.ts";

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
  const recorded = new Map<string, RecordedMetric>();
  for (const rule of written)
    if (rule.record !== undefined) recorded.set(rule.record, { expr: rule.expr, labels: Object.keys(rule.labels) });
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
  const parsed = parseAllDocuments(source, { lineCounter: counter, prettyErrors: false, logLevel: "silent" });
  const documents: readonly Document[] = "empty" in parsed ? [] : parsed;
  const positionAt = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report: RuleFile["report"] = (severity, at, what) => {
    diagnostics.push({ file, position: positionAt(at), severity, rule: "rule-file", ...what });
  };
  for (const error of documents.flatMap((document) => document.errors))
    report("error", error.pos[0], { message: error.message, accepted: "a rule file that promtool accepts" });
  const context = { file, positionAt, report };
  const roots = documents.flatMap((document) => (isMap(document.contents) ? objectsOf(document.contents, context) : []));
  const groups = roots.flatMap((root) => groupsOf(root, context));
  if (groups.length === 0 && !roots.some(isOtherObject) && !documents.some((document) => document.errors.length > 0))
    report("warning", 0, { message: "The file holds no group of rules.", accepted: "`groups`, or a PrometheusRule object" });
  return groups.flatMap((group) =>
    mapsIn(group.get("rules", true), "rule", context).flatMap((rule) => {
      const what = writtenRule(rule, context);
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

function writtenRule(rule: YAMLMap, context: RuleFile): WrittenRule {
  const { file, positionAt } = context;
  const position = positionAt(rule.range?.[0] ?? 0);
  const alert = textOf(rule.get("alert", true));
  const record = textOf(rule.get("record", true));
  checkQuery(rule, alert ?? record ?? "", context);
  return {
    file,
    position,
    expr: textOf(rule.get("expr", true)) ?? "",
    labels: textMap(rule.get("labels", true)),
    annotations: textMap(rule.get("annotations", true)),
    positionOf: (kind, key) => {
      const map = rule.get(kind, true);
      const value = isMap(map) ? map.get(key, true) : undefined;
      return isScalar(value) && value.range != null ? positionAt(value.range[0]) : position;
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

function textOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === "string" || typeof node.value === "number" || typeof node.value === "boolean"
    ? String(node.value)
    : undefined;
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

interface RecordedMetric {
  readonly expr: string;
  readonly labels: readonly string[];
}

type Labels = ReadonlySet<string> | undefined;

/**
 * Labels that the result of a query can have, by Prometheus's rules for aggregation and vector matching; undefined when a plain selector
 * decides. Scalars have none.
 */
export function producedLabels(expr: string, recorded: ReadonlyMap<string, RecordedMetric>, depth = 0): Labels {
  const tree = parser.parse(expr).topNode.firstChild;
  return tree === null || depth > 10 ? undefined : labelsOf(tree, { text: expr, recorded, depth });
}

interface QuerySource {
  readonly text: string;
  readonly recorded: ReadonlyMap<string, RecordedMetric>;
  readonly depth: number;
}

function labelsOf(node: SyntaxNode, { text, recorded, depth }: QuerySource): Labels {
  const of = (child: SyntaxNode | undefined): Labels => (child === undefined ? undefined : labelsOf(child, { text, recorded, depth }));
  const children = expressionsIn(node);
  switch (node.name) {
    case "NumberDurationLiteral":
    case "StringLiteral":
      return new Set();
    case "VectorSelector": {
      const name = node.getChild("Identifier");
      const metric = name === null ? undefined : recorded.get(text.slice(name.from, name.to));
      if (metric === undefined) return undefined;
      const inner = producedLabels(metric.expr, recorded, depth + 1);
      return inner && new Set([...inner, ...metric.labels]);
    }
    case "AggregateExpr":
      return aggregated(node, text, of);
    case "FunctionCall":
      return called(node, text, of);
    case "BinaryExpr":
      return combined(node, text, of);
    default:
      return of(children[0]);
  }
}

function aggregated(node: SyntaxNode, text: string, of: (child: SyntaxNode | undefined) => Labels): Labels {
  const body = node.getChild("FunctionCallBody");
  const operator = text.slice(node.getChild("AggregateOp")?.from ?? 0, node.getChild("AggregateOp")?.to ?? 0);
  const inner = body === null ? undefined : of(expressionsIn(body).at(-1));
  // These keep whole series; their `by` only groups.
  if (operator === "topk" || operator === "bottomk" || operator === "limitk") return inner;
  const modifier = node.getChild("AggregateModifier");
  if (modifier === null) return new Set();
  const names = groupingOf(modifier, text);
  if (modifier.getChild("By") !== null) return new Set(names);
  return inner && new Set([...inner].filter((label) => !names.includes(label)));
}

function called(node: SyntaxNode, text: string, of: (child: SyntaxNode | undefined) => Labels): Labels {
  const name = /^[a-z_0-9]+/iu.exec(text.slice(node.from, node.to))?.[0] ?? "";
  const body = node.getChild("FunctionCallBody");
  const args = body === null ? [] : expressionsIn(body);
  if (name === "time" || name === "scalar" || name === "pi" || name === "vector") return new Set();
  if (name === "absent" || name === "absent_over_time") {
    const matchers = text.slice(args[0]?.from ?? 0, args[0]?.to ?? 0).matchAll(/([a-zA-Z_]\w*)\s*=\s*["'`]/gu);
    return new Set([...matchers].flatMap((match) => (match[1] === undefined ? [] : [match[1]])));
  }
  if (name === "label_replace" || name === "label_join") {
    const inner = of(args[0]);
    const target = text.slice(args[1]?.from ?? 0, args[1]?.to ?? 0).slice(1, -1);
    return inner && new Set([...inner, target]);
  }
  const inner = of(args.findLast((arg) => arg.name !== "NumberDurationLiteral" && arg.name !== "StringLiteral"));
  return name === "histogram_quantile" && inner !== undefined ? new Set([...inner].filter((label) => label !== "le")) : inner;
}

function combined(node: SyntaxNode, text: string, of: (child: SyntaxNode | undefined) => Labels): Labels {
  const [leftNode, rightNode] = expressionsIn(node);
  const [left, right] = [of(leftNode), of(rightNode)];
  if (isScalarNode(leftNode, text)) return right;
  if (isScalarNode(rightNode, text)) return left;
  if (node.getChild("And") !== null || node.getChild("Unless") !== null) return left;
  if (node.getChild("Or") !== null) return left && right && new Set([...left, ...right]);
  const clause = node.getChild("MatchingModifierClause");
  if (clause === null) return left === undefined ? right : left;
  const lists = clause.getChildren("GroupingLabels").map((list) => namesIn(list, text));
  if (clause.getChild("GroupLeft") !== null) return left && new Set([...left, ...(lists[1] ?? [])]);
  if (clause.getChild("GroupRight") !== null) return right && new Set([...right, ...(lists[1] ?? [])]);
  if (clause.getChild("On") !== null) return new Set(lists[0] ?? []);
  return left && new Set([...left].filter((label) => !(lists[0] ?? []).includes(label)));
}

function isScalarNode(node: SyntaxNode | undefined, text: string): boolean {
  if (node === undefined) return false;
  if (node.name === "NumberDurationLiteral") return true;
  if (node.name === "FunctionCall") return /^(?:time|scalar|pi)\s*\(/u.test(text.slice(node.from, node.to));
  const inner = expressionsIn(node);
  if (node.name === "ParenExpr" || node.name === "UnaryExpr") return isScalarNode(inner[0], text);
  return node.name === "BinaryExpr" && inner.every((child) => isScalarNode(child, text));
}

function groupingOf(modifier: SyntaxNode, text: string): readonly string[] {
  const list = modifier.getChild("GroupingLabels");
  return list === null ? [] : namesIn(list, text);
}

function namesIn(list: SyntaxNode, text: string): readonly string[] {
  return list.getChildren("LabelName").map((name) => text.slice(name.from, name.to));
}

function expressionsIn(node: SyntaxNode): readonly SyntaxNode[] {
  const expressions: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (/(?:Expr|Selector|Literal|Call)$/u.test(child.name)) expressions.push(child);
  }
  return expressions;
}
