import type { CheckItem, PostItem } from "../../../packages/sdk/src/wire/runbooks.ts";
import { type AllowedNames, checkExpression } from "../expressions/check-expression.ts";
import { findPromqlFault } from "../expressions/find-promql-fault.ts";
import { insideCode } from "./action-call.ts";
import type { Section } from "./document.ts";
import { durationBehind, fenceDurations } from "./duration-site.ts";
import { type Code, codeText, type ListItem, type Nodes, type Paragraph, plainText, spanOf } from "./markdown.ts";
import {
  type Bullet,
  bulletsOf,
  provenExpression,
  type ReadContext,
  readAction,
  readBullet,
  readExpression,
  readWithin,
} from "./read-bullet.ts";

/** The items of Prerequisites or Verification: prose, or prose with one check. */
export function readCheckItems(
  section: Section | undefined,
  where: "prerequisites" | "verification",
  context: ReadContext,
): readonly CheckItem[] {
  return itemsOf(section).map((item) => readCheckItem(item, where, context));
}

/** The items of Post-Action: an action, or prose left for people. */
export function readPostItems(section: Section | undefined, context: ReadContext): readonly PostItem[] {
  const names: AllowedNames = {
    roots: ["alert", "params", "steps", "before", "now", "run"],
    params: context.params,
    steps: context.steps.map((step) => step.id),
    metrics: context.metrics,
  };
  return itemsOf(section).map((item) => {
    const position = context.reporter.positionOf(spanOf(item).start);
    const bullet = readBullet(item, context, ["action"]) ?? bulletsOf(item, context, ["action"]).get("action");
    const action = readAction(bullet, { ...context, names });
    return { text: proseOf(item, context), position, ...(action && { action: action.call }) };
  });
}

function itemsOf(section: Section | undefined): readonly ListItem[] {
  return (section?.children ?? []).flatMap((child) => (child.type === "list" ? child.children : []));
}

type Check = NonNullable<CheckItem["check"]>;

function readCheckItem(item: ListItem, where: "prerequisites" | "verification", context: ReadContext): CheckItem {
  const { reporter } = context;
  const names: AllowedNames = {
    roots: where === "prerequisites" ? ["alert", "params", "run"] : ["alert", "params", "steps", "before", "now", "run"],
    params: context.params,
    metrics: context.metrics,
    ...(where === "verification" && { steps: context.steps.map((step) => step.id) }),
  };
  const mayWait = where === "verification";
  const checks = [
    ...actionChecks(item, names, context),
    ...promqlChecks(item, { names, mayWait }, context),
    ...expressionChecks(item, { names, mayWait }, context),
  ];
  if (checks.length > 1) {
    reporter.error({
      rule: "one-check",
      at: spanOf(item).start,
      message: "This item holds more than one check.",
      accepted: "one check per item; write another item",
    });
  }
  const [check] = checks;
  return { text: proseOf(item, context), position: reporter.positionOf(spanOf(item).start), ...(check && { check }) };
}

function actionChecks(item: ListItem, names: AllowedNames, context: ReadContext): Check[] {
  const itemBullet = readBullet(item, context, ["action"]);
  const bullets = new Map(bulletsOf(item, context, ["action", "expected"]));
  const actionBullet: Bullet | undefined = itemBullet ?? bullets.get("action");
  const expectedBullet = bullets.get("expected");
  if (actionBullet === undefined && expectedBullet === undefined) return [];
  const action = readAction(actionBullet, { ...context, names });
  const fields = action && { result: Object.keys(action.spec.result) };
  const expected = readExpression(
    expectedBullet,
    { names: { ...names, roots: [...names.roots, "result"], ...fields }, mayWait: true },
    context,
  );
  const start = (actionBullet ?? expectedBullet)?.label.start ?? spanOf(item).start;
  if (actionBullet === undefined || expectedBullet === undefined) {
    context.reporter.error({
      rule: "check-incomplete",
      at: start,
      message: "A check by an action needs both an Action and an Expected.",
      accepted: "`Action:` and `Expected:` bullets in one item",
    });
    return [];
  }
  if (action === undefined || expected === undefined) return [];
  if (action.spec.effectOf(action.call.parameters) !== "read") {
    context.reporter.error({
      rule: "check-writes",
      at: start,
      message: `A check only reads; \`${action.spec.name}\` changes something.`,
      accepted: "an action that reads",
    });
    return [];
  }
  return [
    {
      kind: "action",
      call: action.call,
      expected: expected.expression,
      ...(expected.withinMs !== undefined && { withinMs: expected.withinMs }),
    },
  ];
}

function promqlChecks(
  item: ListItem,
  { names, mayWait }: { readonly names: AllowedNames; readonly mayWait: boolean },
  context: ReadContext,
): Check[] {
  return item.children.flatMap((child, index): Check[] => {
    if (child.type !== "code" || child.lang?.toLowerCase() !== "promql") return [];
    context.fences.add(child);
    const next = item.children[index + 1];
    const within = withinAfter(next, mayWait, context);
    context.durations.push(...fenceDurations(context.text, child));
    if (typeof within === "number" && next !== undefined) {
      context.durations.push(...durationBehind("within", context.text, { start: spanOf(next).start, end: spanOf(next).end }));
    }
    if (!proveQuery(child, names, context) || within === "refused") return [];
    return [{ kind: "promql", query: child.value, ...(within !== undefined && { withinMs: within }) }];
  });
}

function proveQuery(fence: Code, names: AllowedNames, context: ReadContext): boolean {
  const code = codeText(context.text, fence);
  const fault = findPromqlFault(code.text, names);
  if (fault === undefined) return true;
  context.reporter.error({ rule: fault.rule, at: code.toOffset(fault.offset), message: fault.message, accepted: fault.accepted });
  return false;
}

function withinAfter(next: Nodes | undefined, mayWait: boolean, context: ReadContext): number | "refused" | undefined {
  if (next?.type !== "paragraph") return undefined;
  const text = plainText(next).trim();
  if (!/^within\b/iu.test(text)) return undefined;
  const accepted = mayWait ? "`within D` and nothing behind it" : "nothing: a prerequisite is looked at once";
  return readWithin({ after: text, mayWait, at: spanOf(next).start, accepted }, context.reporter);
}

/**
 * An inline code is a check when it is all that the item says, or follows a colon at its end. Other inline code is prose,
 * unless it could be read as a check: then the author is asked to say which.
 */
function expressionChecks(
  item: ListItem,
  { names, mayWait }: { readonly names: AllowedNames; readonly mayWait: boolean },
  context: ReadContext,
): Check[] {
  const [paragraph] = item.children;
  if (paragraph?.type !== "paragraph") return [];
  const { line } = context.reporter.positionOf(spanOf(paragraph).start);
  if (context.lines.has(line)) return [];
  return paragraph.children.flatMap((node, index): Check[] => {
    if (node.type !== "inlineCode") return [];
    const start = insideCode(context.text, node, spanOf(node).start);
    const before = plainText(paragraph.children.slice(0, index)).trim();
    const after = plainText(paragraph.children.slice(index + 1)).trim();
    if ((before === "" || before.endsWith(":")) && /^(?:within\b.*)?$/isu.test(after)) {
      const accepted = mayWait
        ? "one expression in backticks, then `within D` or nothing"
        : "one expression in backticks and nothing behind it";
      const within = readWithin({ after, mayWait, at: start + node.value.length, accepted }, context.reporter);
      const expression = provenExpression({ source: node.value.trim(), at: start, names }, context.reporter);
      if (expression === undefined || within === "refused") return [];
      context.durations.push(...durationBehind("within", context.text, { start: start + node.value.length, end: spanOf(paragraph).end }));
      return [{ kind: "expression", expression, ...(within !== undefined && { withinMs: within }) }];
    }
    const checked = checkExpression(node.value.trim(), names);
    if (checked.ok && /[<>=!&|]/u.test(node.value)) {
      context.reporter.error({
        rule: "check-position",
        at: start,
        message: `\`${node.value}\` reads like a check but stands inside prose.`,
        accepted: "the expression at the end of the item behind a colon, or other words for prose",
      });
    }
    return [];
  });
}

function proseOf(item: ListItem, context: ReadContext): string {
  const [paragraph] = item.children;
  return paragraph?.type === "paragraph" ? oneParagraph(paragraph, context.text) : "";
}

function oneParagraph(paragraph: Paragraph, text: string): string {
  return text.slice(spanOf(paragraph).start, spanOf(paragraph).end).replaceAll(/\s+/gu, " ").trim();
}
