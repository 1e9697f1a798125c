import { parser } from "@prometheus-io/lezer-promql";
import { type AllowedNames, checkExpression } from "./check-expression.ts";
import { maskPromql } from "./promql-template.ts";

/** The first fault of a query; the offset is of the query's text. */
export interface PromqlFault {
  readonly rule: "promql" | "expression" | "template";
  readonly message: string;
  readonly accepted: string;
  readonly offset: number;
}

/** The first fault of a query with templates: braces, names that its templates read (when `names` is given), then PromQL itself. */
export function findPromqlFault(query: string, names?: AllowedNames): PromqlFault | undefined {
  if (query.trim() === "") return { rule: "promql", message: "The query is empty.", accepted: "a PromQL expression", offset: 0 };
  const masked = maskPromql(query);
  if (!masked.ok)
    return { rule: "template", message: masked.message, accepted: "a balanced `${{ }}` inside quotes, or a number", offset: masked.offset };
  for (const hole of masked.holes) {
    const checked = checkExpression(hole.source, names);
    if (!checked.ok)
      return { rule: "expression", message: checked.message, accepted: checked.accepted, offset: hole.sourceStart + checked.offset };
  }
  let fault: number | undefined;
  parser.parse(masked.masked).iterate({
    enter: (node) => {
      if (node.type.isError) fault ??= node.from;
    },
  });
  if (fault === undefined) return undefined;
  const remaining = query.slice(fault).split("\n")[0] ?? "";
  const message = remaining.trim() === "" ? "The query ends too early." : `The query cannot be read from \`${remaining.slice(0, 30)}\`.`;
  return { rule: "promql", message, accepted: "a PromQL expression", offset: fault };
}
