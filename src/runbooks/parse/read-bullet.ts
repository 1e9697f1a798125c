import type { Expression } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../../core/action.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { type AllowedNames, checkExpression } from "../expressions/check-expression.ts";
import { type BoundCall, bindCall, type CallContext, insideCode } from "./action-call.ts";
import { type DurationLead, type DurationSite, durationBehind } from "./duration-site.ts";
import { findHiddenLabel, type HiddenLabel } from "./hidden-label.ts";
import { type Label, type LabelKind, labelNames, readLabel } from "./label.ts";
import { type Code, type ListItem, plainText, spanOf } from "./markdown.ts";
import { oneOf, type Reporter } from "./reporter.ts";

/** A numbered item before its bullets are read. */
export interface RawStep {
  readonly item: ListItem;
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly section?: string;
  /** Under Diagnosis, where nothing may be changed. */
  readonly readOnly: boolean;
}

/** What reading a document's parts needs and fills. */
export interface ReadContext {
  readonly text: string;
  readonly reporter: Reporter;
  readonly catalogue: ActionCatalogue;
  /** Undefined when the front matter could not be read, so that names cannot be told. */
  readonly params: readonly string[] | undefined;
  readonly metrics: readonly string[] | undefined;
  readonly steps: readonly RawStep[];
  /** Fences that belong to something. */
  readonly fences: Set<Code>;
  /** Lines whose step or label was read, 1-based. */
  readonly lines: Set<number>;
  /** Every duration that was read. */
  readonly durations: DurationSite[];
}

/** One labelled bullet with its fence. */
export interface Bullet {
  readonly label: Label;
  readonly item: ListItem;
  readonly fence?: Code;
}

/** The labelled bullets directly below an item, each at most once; `allowed` are those that mean something here. */
export function bulletsOf(
  item: ListItem,
  context: ReadContext,
  allowed: readonly LabelKind[] = ["action", "when", "expected", "failure", "undo", "approval", "timeout"],
): ReadonlyMap<LabelKind, Bullet> {
  const bullets = new Map<LabelKind, Bullet>();
  for (const child of item.children) {
    if (child.type !== "list" || child.ordered === true) continue;
    for (const bullet of child.children) {
      const one = readBullet(bullet, context, allowed);
      if (one === undefined) continue;
      if (bullets.has(one.label.kind)) {
        context.reporter.error({
          rule: "repeated-bullet",
          at: one.label.start,
          message: `\`${one.label.written}\` is there twice in this step.`,
          accepted: "each bullet at most once",
        });
      } else bullets.set(one.label.kind, one);
    }
  }
  return bullets;
}

/** A list item as a labelled bullet; undefined when it is prose or its label was refused. */
export function readBullet(item: ListItem, context: ReadContext, allowed: readonly LabelKind[]): Bullet | undefined {
  const [paragraph, next] = item.children;
  if (paragraph?.type !== "paragraph") return undefined;
  const reading = readLabel(paragraph);
  const { start, end } = spanOf(paragraph);
  if (reading.kind === "prose") {
    // Only a step has all of them, and only there would a label that is not read be missed.
    const hidden = allowed.includes("approval")
      ? (findHiddenLabel(plainText(paragraph).split("\n")[0] ?? "") ?? findHiddenLabel(context.text.slice(start, end)))
      : undefined;
    if (hidden !== undefined) reportHiddenLabel(hidden, start, context.reporter);
    return undefined;
  }
  if (reading.kind === "near") {
    const accepted = `\`${labelNames[reading.meant]}: …\``;
    if (reading.problem === "colon")
      context.reporter.error({ rule: "label-colon", at: start, message: `The colon behind \`${reading.written}\` is missing.`, accepted });
    else
      context.reporter.error({
        rule: "label-spelling",
        at: start,
        message: `\`${reading.written}\` is no known label.`,
        accepted: `${accepted}, or other words for prose`,
      });
    return undefined;
  }
  const { label } = reading;
  context.lines.add(context.reporter.positionOf(start).line);
  if (!allowed.includes(label.kind)) {
    context.reporter.error({
      rule: "label-misplaced",
      at: start,
      message: `\`${label.written}\` means nothing here.`,
      accepted: oneOf(allowed.map((kind) => labelNames[kind])),
    });
    return undefined;
  }
  if (next?.type !== "code" || (label.kind !== "action" && label.kind !== "undo")) return { label, item };
  const info = next.lang?.toLowerCase();
  if (info !== "yaml" && info !== "yml") return { label, item };
  context.fences.add(next);
  return { label, item, fence: next };
}

/** What looks like a label and is none is a fault, and no prose: a reader relies on it. */
export function reportHiddenLabel({ written, meant, strength }: HiddenLabel, at: number, reporter: Reporter): void {
  const fault = {
    rule: "label-hidden",
    at,
    message:
      strength === "dress"
        ? `This looks like the label \`${labelNames[meant]}\`, and is not written as one.`
        : `\`${written}\` is no label, and reads like \`${labelNames[meant]}\`.`,
    accepted: `\`${labelNames[meant]}: …\` with a plain colon and nothing before it, or other words for prose`,
  };
  if (strength === "weak") reporter.warn(fault);
  else reporter.error(fault);
}

/** The text behind a label. */
export function valueText(label: Label): string {
  return plainText(label.value).replaceAll(/\s+/gu, " ").trim();
}

interface CodeValue {
  readonly value: string;
  readonly start: number;
  readonly after: string;
}

/** The one inline code of a value; reports when there is none, more than one or text before it. */
function codeValue(bullet: Bullet, context: ReadContext, accepted: string): CodeValue | undefined {
  const { label } = bullet;
  const codes = label.value.flatMap((node, index) => (node.type === "inlineCode" ? [{ node, index }] : []));
  const [only] = codes;
  if (only === undefined || codes.length > 1) {
    const problem = only === undefined ? "holds no inline code" : "holds more than one inline code";
    context.reporter.error({ rule: "one-code", at: label.start, message: `\`${label.written}\` ${problem}.`, accepted });
    return undefined;
  }
  const before = plainText(label.value.slice(0, only.index)).trim();
  if (before !== "") {
    context.reporter.error({
      rule: "one-code",
      at: label.start,
      message: `\`${label.written}\` has text before its inline code.`,
      accepted,
    });
    return undefined;
  }
  const start = insideCode(context.text, only.node, spanOf(only.node).start);
  return { value: only.node.value.trim(), start, after: plainText(label.value.slice(only.index + 1)).trim() };
}

/** Whether an action in the older wording is an instruction for people and no name of an action. */
export function isInstruction(bullet: Bullet | undefined, catalogue: ActionCatalogue): boolean {
  if (bullet === undefined || !bullet.label.isSeed || bullet.fence !== undefined) return false;
  const [only, ...others] = bullet.label.value.filter((node) => node.type !== "text" || node.value.trim() !== "");
  if (others.length > 0 || only?.type !== "inlineCode") return true;
  return catalogue.find(only.value) === undefined && !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/u.test(only.value);
}

/** Reads an Action or Undo bullet. */
export function readAction(bullet: Bullet | undefined, context: ReadContext & Pick<CallContext, "names">): BoundCall | undefined {
  if (bullet === undefined || isInstruction(bullet, context.catalogue)) return undefined;
  const accepted = `\`${labelNames[bullet.label.kind]}:\` with the name of one action in backticks, its parameters in a \`yaml\` fence below`;
  const code = codeValue(bullet, context, accepted);
  if (code === undefined) return undefined;
  if (code.after !== "") {
    context.reporter.error({
      rule: "text-after-code",
      at: code.start + code.value.length,
      message: `There is text behind the action: \`${code.after.slice(0, 40)}\`.`,
      accepted: "text for people in the step itself",
    });
    return undefined;
  }
  return bindCall({ name: code.value, at: code.start, fence: bullet.fence }, context);
}

/** How a bullet's expression is read. */
export interface ExpressionRules {
  readonly names: AllowedNames;
  readonly mayWait: boolean;
}

/** Reads When or Expected: one inline code, for Expected with an optional `within D`. */
export function readExpression(
  bullet: Bullet | undefined,
  { names, mayWait }: ExpressionRules,
  context: ReadContext,
): { readonly expression: Expression; readonly withinMs?: number } | undefined {
  if (bullet === undefined) return undefined;
  const accepted = mayWait
    ? "one expression in backticks, then `within D` or nothing"
    : "one expression in backticks and nothing behind it";
  const code = codeValue(bullet, context, accepted);
  if (code === undefined) return undefined;
  const withinMs = readWithin({ after: code.after, mayWait, at: code.start + code.value.length, accepted }, context.reporter);
  if (typeof withinMs === "number")
    collectDuration({ lead: "within", start: code.start + code.value.length, label: bullet.label }, context);
  const expression = provenExpression({ source: code.value, at: code.start, names }, context.reporter);
  if (withinMs === "refused" || expression === undefined) return undefined;
  return { expression, ...(withinMs !== undefined && { withinMs }) };
}

/** What stands behind a check. */
export interface WithinText {
  readonly after: string;
  readonly mayWait: boolean;
  readonly at: number;
  readonly accepted: string;
}

/** Reads the `within D` behind a check. */
export function readWithin({ after, mayWait, at, accepted }: WithinText, reporter: Reporter): number | "refused" | undefined {
  if (after === "") return undefined;
  const written = mayWait ? /^within\s+(\S+)$/iu.exec(after)?.[1] : undefined;
  if (written === undefined) {
    reporter.error({ rule: "text-after-code", at, message: `There is text behind the expression: \`${after.slice(0, 40)}\`.`, accepted });
    return "refused";
  }
  const ms = parseDuration(written);
  if (ms === undefined || ms === 0) {
    reporter.error({ rule: "duration", at, message: `\`${written}\` is no duration of more than zero.`, accepted: durationGrammar });
    return "refused";
  }
  return ms;
}

/** An expression as written, and the names that it may read. */
export interface WrittenExpression {
  readonly source: string;
  readonly at: number;
  readonly names: AllowedNames;
}

/** An expression whose syntax and names hold. */
export function provenExpression({ source, at, names }: WrittenExpression, reporter: Reporter): Expression | undefined {
  const checked = checkExpression(source, names);
  if (checked.ok) return { source, position: reporter.positionOf(at) };
  reporter.error({ rule: "expression", at: at + checked.offset, message: checked.message, accepted: checked.accepted });
  return undefined;
}

/** Where a duration of a bullet is. */
export interface LeadDuration {
  readonly lead: DurationLead;
  readonly start: number;
  readonly label: Label;
}

/** Notes the duration that stands behind a word of a bullet. */
export function collectDuration({ lead, start, label }: LeadDuration, context: ReadContext): void {
  context.durations.push(...durationBehind(lead, context.text, { start, end: label.end }));
}
