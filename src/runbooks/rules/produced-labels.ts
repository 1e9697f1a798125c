import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** Names of labels; undefined when they cannot be told. */
export type LabelNames = ReadonlySet<string> | undefined;

/** What a recording rule says of the labels of its metric. */
export interface RecordedMetric {
  readonly record: string;
  readonly expr: string;
  /** That the rule sets. */
  readonly labels: readonly string[];
}

/** LabelNames of each recorded metric, found when they are asked for; undefined when they cannot be told. */
export type RecordedLabels = ReadonlyMap<string, () => LabelNames>;

/** Recorded metrics that are made of each other are followed this far. */
const maxRecords = 10;
/** Expressions inside each other are followed this far. */
const maxDepth = 100;

/** The labels of recorded metrics; several rules may record one, each with labels of its own. */
export function recordedLabels(metrics: readonly RecordedMetric[]): RecordedLabels {
  const recorded = new Map<string, () => LabelNames>();
  let depth = 0;
  for (const name of new Set(metrics.map(({ record }) => record))) {
    let answer: { readonly labels: LabelNames } | undefined;
    recorded.set(name, () => {
      if (answer !== undefined || depth >= maxRecords) return answer?.labels;
      // Guards against a metric that is defined in terms of itself.
      answer = { labels: undefined };
      depth += 1;
      const rules = metrics.filter(({ record }) => record === name);
      answer = { labels: unionOf(rules.map(({ expr, labels }) => unionOf([producedLabels(expr, recorded), new Set(labels)]))) };
      depth -= 1;
      return answer.labels;
    });
  }
  return recorded;
}

function unionOf(all: readonly LabelNames[]): LabelNames {
  return all.reduce<LabelNames>((union, labels) => union && labels && new Set([...union, ...labels]), new Set());
}

/**
 * LabelNames that the result of a query can have, by Prometheus's rules for aggregation and vector matching; undefined when a plain selector
 * decides. Scalars have none.
 */
export function producedLabels(expr: string, recorded: RecordedLabels): LabelNames {
  const tree = parser.parse(expr).topNode.firstChild;
  return tree === null ? undefined : labelsOf(tree, { text: expr, recorded, depth: 0 });
}

interface QuerySource {
  readonly text: string;
  readonly recorded: RecordedLabels;
  readonly depth: number;
}

function labelsOf(node: SyntaxNode, { text, recorded, depth }: QuerySource): LabelNames {
  if (depth > maxDepth) return undefined;
  const of = (child: SyntaxNode | undefined): LabelNames =>
    child === undefined ? undefined : labelsOf(child, { text, recorded, depth: depth + 1 });
  const children = expressionsIn(node);
  switch (node.name) {
    case "NumberDurationLiteral":
    case "StringLiteral":
      return new Set();
    case "VectorSelector": {
      const name = node.getChild("Identifier");
      return name === null ? undefined : recorded.get(text.slice(name.from, name.to))?.();
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

function aggregated(node: SyntaxNode, text: string, of: (child: SyntaxNode | undefined) => LabelNames): LabelNames {
  const body = node.getChild("FunctionCallBody");
  const operator = text.slice(node.getChild("AggregateOp")?.from ?? 0, node.getChild("AggregateOp")?.to ?? 0).toLowerCase();
  const inner = body === null ? undefined : of(expressionsIn(body).at(-1));
  // These keep whole series; their `by` only groups.
  if (["topk", "bottomk", "limitk", "limit_ratio"].includes(operator)) return inner;
  const counted = operator === "count_values" && body !== null ? [stringIn(expressionsIn(body)[0], text)] : [];
  const modifier = node.getChild("AggregateModifier");
  if (modifier === null) return new Set(counted);
  const names = groupingOf(modifier, text);
  if (modifier.getChild("By") !== null) return new Set([...names, ...counted]);
  return inner && new Set([...[...inner].filter((label) => !names.includes(label)), ...counted]);
}

function called(node: SyntaxNode, text: string, of: (child: SyntaxNode | undefined) => LabelNames): LabelNames {
  const name = /^[a-z_0-9]+/iu.exec(text.slice(node.from, node.to))?.[0] ?? "";
  const body = node.getChild("FunctionCallBody");
  const args = body === null ? [] : expressionsIn(body);
  if (name === "time" || name === "scalar" || name === "pi" || name === "vector") return new Set();
  if (name === "absent" || name === "absent_over_time") {
    const matchers = text.slice(args[0]?.from ?? 0, args[0]?.to ?? 0).matchAll(/([a-zA-Z_]\w*|"[^"\\]*"|'[^'\\]*')\s*=\s*["'`]/gu);
    return new Set([...matchers].flatMap((match) => (match[1] === undefined ? [] : [match[1].replaceAll(/["']/gu, "")])));
  }
  if (name === "label_replace" || name === "label_join") {
    const inner = of(args[0]);
    return inner && new Set([...inner, stringIn(args[1], text)]);
  }
  const inner = of(args.findLast((arg) => arg.name !== "NumberDurationLiteral" && arg.name !== "StringLiteral"));
  return name === "histogram_quantile" && inner !== undefined ? new Set([...inner].filter((label) => label !== "le")) : inner;
}

function combined(node: SyntaxNode, text: string, of: (child: SyntaxNode | undefined) => LabelNames): LabelNames {
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

function isScalarNode(node: SyntaxNode | undefined, text: string, depth = 0): boolean {
  if (node === undefined || depth > maxDepth) return false;
  if (node.name === "NumberDurationLiteral") return true;
  if (node.name === "FunctionCall") return /^(?:time|scalar|pi)\s*\(/u.test(text.slice(node.from, node.to));
  const inner = expressionsIn(node);
  if (node.name === "ParenExpr" || node.name === "UnaryExpr") return isScalarNode(inner[0], text, depth + 1);
  return node.name === "BinaryExpr" && inner.every((child) => isScalarNode(child, text, depth + 1));
}

function groupingOf(modifier: SyntaxNode, text: string): readonly string[] {
  const list = modifier.getChild("GroupingLabels");
  return list === null ? [] : namesIn(list, text);
}

/** A text in quotes, without them. */
function stringIn(node: SyntaxNode | undefined, text: string): string {
  return text.slice(node?.from ?? 0, node?.to ?? 0).slice(1, -1);
}

function namesIn(list: SyntaxNode, text: string): readonly string[] {
  return [
    ...list.getChildren("LabelName").map((name) => text.slice(name.from, name.to)),
    ...list.getChildren("QuotedLabelName").map((name) => stringIn(name, text)),
  ];
}

function expressionsIn(node: SyntaxNode): readonly SyntaxNode[] {
  const expressions: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (/(?:Expr|Selector|Literal|Call)$/u.test(child.name)) expressions.push(child);
  }
  return expressions;
}
