import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { ActionCall, Expression, Position, Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import { readAlertField } from "../parse/alert-field.ts";
import { checkExpression } from "./check-expression.ts";
import { splitTemplates } from "./template.ts";

/** A label or annotation of the alert that a document reads. `needed`: a run cannot start, or a step cannot work, without it. */
export interface LabelRead {
  readonly kind: "labels" | "annotations";
  readonly name: string;
  readonly position: Position;
  readonly needed: boolean;
}

/** Every label of the alert that a runbook reads, in the order of the document. */
export function labelsRead(runbook: Runbook): readonly LabelRead[] {
  const top: Position = { line: 1, column: 1 };
  const reads: LabelRead[] = [];
  const expression = (source: string, position: Position) => {
    const checked = checkExpression(source, undefined);
    if (!checked.ok) return;
    for (const name of checked.labels) reads.push({ kind: "labels", name, position, needed: true });
  };
  const text = (source: string, position: Position) => {
    const split = splitTemplates(source);
    for (const part of split.ok ? split.parts : []) if (part.kind === "expression") expression(part.source, position);
  };
  const json = (value: Json, position: Position): void => {
    if (typeof value === "string") text(value, position);
    else if (value !== null && typeof value === "object") for (const item of Object.values(value)) json(item, position);
  };
  const call = (action: ActionCall | undefined) => {
    if (action !== undefined) json(action.parameters, action.position);
  };
  const maybe = (one: Expression | undefined) => {
    if (one !== undefined) expression(one.source, one.position);
  };
  for (const spec of Object.values(runbook.params)) {
    const field = readAlertField(spec.from ?? "");
    if (field !== undefined) reads.push({ ...field, position: top, needed: spec.default === undefined });
  }
  if (runbook.target !== undefined) text(runbook.target, top);
  for (const query of Object.values(runbook.track)) text(query, top);
  for (const step of runbook.steps) {
    maybe(step.when);
    call(step.action);
    maybe(step.expected?.expression);
    call(step.undo);
    maybe(step.approval?.unless);
  }
  for (const { check, position } of [...runbook.prerequisites, ...runbook.verification]) {
    if (check?.kind === "expression") maybe(check.expression);
    if (check?.kind === "promql") text(check.query, position);
    if (check?.kind === "action") {
      call(check.call);
      maybe(check.expected);
    }
  }
  for (const item of runbook.postAction) call(item.action);
  return reads;
}
