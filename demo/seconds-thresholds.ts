import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** What a PromQL expression measures, as far as its names tell. */
type Dimension = "seconds" | "instant" | "number" | "other";

const comparisons = new Set([">", "<", ">=", "<=", "==", "!="]);
const preservesDimension = new Set(["min", "max", "avg", "sum", "min_over_time", "max_over_time", "avg_over_time", "quantile_over_time"]);

/**
 * Divides every number that an expression measured in seconds is compared with, e.g. `x_remaining_seconds > 86400` or
 * `y_timestamp_seconds - time() < 30 * 86400`. Seconds are recognised by the metric's name, as Prometheus's conventions prescribe;
 * a comparison of an instant with a constant is left alone, and so are runbookd's own metrics: how long a worker may take does not
 * shrink with the budget's period.
 */
export function divideSecondsThresholds(query: string, factor: number): string {
  const edits: { readonly from: number; readonly to: number }[] = [];
  parser.parse(query).iterate({
    enter: ({ node }) => {
      if (node.name !== "BinaryExpr") return;
      const [left, right] = operands(node);
      if (left === undefined || right === undefined || !comparisons.has(operator(query, left, right))) return;
      if (dimensionOf(query, left) === "seconds" && dimensionOf(query, right) === "number") edits.push(right);
      if (dimensionOf(query, right) === "seconds" && dimensionOf(query, left) === "number") edits.push(left);
    },
  });
  return edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, to }) => `${text.slice(0, from)}(${text.slice(from, to)}) / ${factor}${text.slice(to)}`, query);
}

function dimensionOf(query: string, node: SyntaxNode): Dimension {
  const text = query.slice(node.from, node.to);
  switch (node.name) {
    case "NumberDurationLiteral":
    case "NumberLiteral":
      return "number";
    case "VectorSelector": {
      const name = query.slice(node.firstChild?.from ?? 0, node.firstChild?.to ?? 0);
      if (name.startsWith("runbookd_")) return "other";
      if (name.endsWith("_timestamp_seconds")) return "instant";
      return name.endsWith("_seconds") ? "seconds" : "other";
    }
    case "ParenExpr":
    case "StepInvariantExpr":
    case "MatrixSelector":
    case "OffsetExpr":
    case "SubqueryExpr":
      return node.firstChild === null ? "other" : dimensionOf(query, firstExpression(node) ?? node.firstChild);
    case "AggregateExpr":
    case "FunctionCall": {
      const name = /^[a-z_0-9]+/.exec(text)?.[0] ?? "";
      if (name === "time") return "instant";
      const body = node.getChild("FunctionCallBody");
      const argument = body === null ? undefined : lastExpression(body);
      return preservesDimension.has(name) && argument !== undefined ? dimensionOf(query, argument) : "other";
    }
    case "BinaryExpr": {
      const [left, right] = operands(node);
      if (left === undefined || right === undefined) return "other";
      const [a, b] = [dimensionOf(query, left), dimensionOf(query, right)];
      const op = operator(query, left, right);
      if (a === "number" && b === "number") return "number";
      if (op === "-" && a === "instant" && b === "instant") return "seconds";
      if ((op === "+" || op === "-") && a === "seconds" && b === "seconds") return "seconds";
      return comparisons.has(op) ? a : "other";
    }
    default:
      return "other";
  }
}

/** Grammar nodes that are no expression of their own. */
const noExpressions = new Set(["MatchingModifierClause", "BoolModifier", "AggregateOp", "AggregateModifier", "FunctionIdentifier"]);

function expressionsOf(node: SyntaxNode): SyntaxNode[] {
  const expressions: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (/(Expr|Selector|Literal|Call)$/.test(child.name) && !noExpressions.has(child.name)) expressions.push(child);
  }
  return expressions;
}

const firstExpression = (node: SyntaxNode) => expressionsOf(node)[0];
const lastExpression = (node: SyntaxNode) => expressionsOf(node).at(-1);

function operands(node: SyntaxNode): readonly [SyntaxNode | undefined, SyntaxNode | undefined] {
  const [left, right] = expressionsOf(node);
  return [left, right];
}

/** The operator's own characters; matching clauses come after it. */
function operator(query: string, left: SyntaxNode, right: SyntaxNode): string {
  return /^\s*(>=|<=|==|!=|[-+*/%^<>]|and|or|unless)/.exec(query.slice(left.to, right.from))?.[1] ?? "";
}
