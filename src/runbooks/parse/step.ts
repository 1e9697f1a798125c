import type { ApprovalRule, FailurePolicy, Step } from "../../../packages/sdk/src/wire/runbooks.ts";
import { durationGrammar, hourMs, parseDuration } from "../../core/duration.ts";
import type { AllowedNames } from "../expressions/check-expression.ts";
import { type BoundCall, insideCode } from "./action-call.ts";
import { type ListItem, type PhrasingContent, plainText, spanOf } from "./markdown.ts";
import { defaultPolicy, parsePolicy, policyGrammar } from "./policy.ts";
import {
  type Bullet,
  bulletsOf,
  collectDuration,
  isInstruction,
  provenExpression,
  type RawStep,
  type ReadContext,
  readAction,
  readExpression,
  valueText,
} from "./read-bullet.ts";
import { oneOf } from "./reporter.ts";
import { stepIdOf } from "./step-id.ts";

/** The name in bold that an item begins with. */
export function stepName(item: ListItem): { readonly name: string; readonly remaining: readonly PhrasingContent[] } | undefined {
  const [paragraph] = item.children;
  if (paragraph?.type !== "paragraph") return undefined;
  const [bold, ...remaining] = paragraph.children;
  if (bold?.type !== "strong") return undefined;
  const name = plainText(bold).replaceAll(/\s+/gu, " ").trim().replace(/:$/u, "").trim();
  return stepIdOf(name) === "" ? undefined : { name, remaining };
}

/** Reads the bullets of a step. Always a step, so that nothing is dropped; faults are reported. */
export function readStep(raw: RawStep, context: ReadContext): Step {
  const { reporter } = context;
  const bullets = bulletsOf(raw.item, context);
  const earlier = context.steps.filter((step) => step.number < raw.number).map((step) => step.id);
  const names: AllowedNames = {
    roots: ["alert", "params", "steps", "before", "now", "run"],
    params: context.params,
    steps: earlier,
    metrics: context.metrics,
  };
  const undoNames: AllowedNames = { ...names, steps: [...earlier, raw.id] };
  const action = readAction(bullets.get("action"), { ...context, names });
  const undo = readAction(bullets.get("undo"), { ...context, names: undoNames });
  const isManual = !bullets.has("action") || isInstruction(bullets.get("action"), context.catalogue);
  const when = readExpression(bullets.get("when"), { names, mayWait: false }, context);
  const expectedBullet = bullets.get("expected");
  const expected = isManual
    ? undefined
    : readExpression(
        expectedBullet,
        {
          names: { ...names, roots: [...names.roots, "result"], ...(action && { result: Object.keys(action.spec.result) }) },
          mayWait: true,
        },
        context,
      );
  const expectedText = isManual && expectedBullet !== undefined ? valueText(expectedBullet.label) : undefined;
  const approval = readApproval(bullets.get("approval"), names, context);
  const timeoutMs = readTimeout(bullets.get("timeout"), context);
  const onFailure = readPolicy(bullets.get("failure"), { raw, isManual }, context);

  if (action !== undefined && expected?.withinMs !== undefined && !action.spec.probes && effectOf(action) !== "read") {
    reporter.error({
      rule: "within-without-probe",
      at: expectedBullet?.label.start ?? 0,
      message: `\`${action.spec.name}\` cannot be read again, so \`within\` cannot come true later.`,
      accepted: "an Expected without `within`, or a later step that reads",
    });
  }
  if (raw.readOnly && action !== undefined && effectOf(action) !== "read") {
    reporter.error({
      rule: "diagnosis-writes",
      at: bullets.get("action")?.label.start ?? 0,
      message: `Steps under Diagnosis only read; \`${action.spec.name}\` changes something.`,
      accepted: "the step under `## Procedure`",
    });
  }
  if (isManual && undo !== undefined) {
    reporter.error({
      rule: "undo-without-action",
      at: bullets.get("undo")?.label.start ?? 0,
      message: "A manual step has no Undo of its own.",
      accepted: "an Action beside the Undo, or the Undo as text for people",
    });
  }
  if (isManual && timeoutMs !== undefined) {
    reporter.error({
      rule: "timeout-without-action",
      at: bullets.get("timeout")?.label.start ?? 0,
      message: "A manual step waits for a person and has no Timeout.",
      accepted: "an Action beside the Timeout",
    });
  }
  return {
    id: raw.id,
    name: raw.name,
    number: raw.number,
    ...(raw.section !== undefined && { section: raw.section }),
    text: proseOf(raw.item, context, isManual ? bullets.get("action") : undefined),
    position: reporter.positionOf(spanOf(raw.item).start),
    ...(action && { action: action.call }),
    ...(when && { when: when.expression }),
    ...(expected && { expected }),
    ...(expectedText !== undefined && { expectedText }),
    onFailure,
    ...(undo && { undo: undo.call }),
    ...(approval && { approval }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

function effectOf({ call, spec }: BoundCall): string {
  return spec.effectOf(call.parameters);
}

const approvalPattern = /^(?<role>operator|approver)(?:\s+of\s+(?<of>\d+))?(?:\s+within\s+(?<within>\S+))?(?:\s+(?<unless>unless))?$/iu;
const defaultApprovalMs = hourMs;

function readApproval(bullet: Bullet | undefined, names: AllowedNames, context: ReadContext): ApprovalRule | undefined {
  if (bullet === undefined) return undefined;
  const { label } = bullet;
  const accepted = "`ROLE [of N] [within D] [unless `expr`]` with the role operator or approver, e.g. `approver of 2 within 30m`";
  const fail = (message: string) => {
    context.reporter.error({ rule: "approval", at: label.start, message, accepted });
    return undefined;
  };
  const code = label.value.find((node) => node.type === "inlineCode");
  const index = code === undefined ? label.value.length : label.value.indexOf(code);
  const text = plainText(label.value.slice(0, index)).replaceAll(/\s+/gu, " ").trim();
  const groups = approvalPattern.exec(text)?.groups;
  if (groups === undefined) return fail(`\`${valueText(label).slice(0, 60)}\` is no approval.`);
  const people = Number(groups["of"] ?? 1);
  if (people < 1 || people > 5) return fail(`${people} people cannot be asked.`);
  const withinMs = groups["within"] === undefined ? defaultApprovalMs : parseDuration(groups["within"]);
  if (withinMs === undefined || withinMs === 0) return fail(`\`${groups["within"] ?? ""}\` is no duration of more than zero.`);
  if ((groups["unless"] === undefined) !== (code === undefined)) return fail("`unless` and its expression in backticks belong together.");
  if (plainText(label.value.slice(index + 1)).trim() !== "") return fail("There is text behind the expression.");
  const unless =
    code === undefined
      ? undefined
      : provenExpression({ source: code.value.trim(), at: insideCode(context.text, code, spanOf(code).start), names }, context.reporter);
  if (groups["within"] !== undefined) collectDuration({ lead: "within", start: label.start, label }, context);
  const role = groups["role"]?.toLowerCase() === "operator" ? "operator" : "approver";
  return { role, of: people, withinMs, ...(unless && { unless }) };
}

function readTimeout(bullet: Bullet | undefined, context: ReadContext): number | undefined {
  if (bullet === undefined) return undefined;
  const text = valueText(bullet.label);
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) {
    collectDuration({ lead: "colon", start: bullet.label.start, label: bullet.label }, context);
    return ms;
  }
  context.reporter.error({
    rule: "duration",
    at: bullet.label.start,
    message: `\`${text.slice(0, 40)}\` is no duration of more than zero.`,
    accepted: durationGrammar,
  });
  return undefined;
}

function readPolicy(
  bullet: Bullet | undefined,
  { raw, isManual }: { readonly raw: RawStep; readonly isManual: boolean },
  context: ReadContext,
): FailurePolicy {
  if (bullet === undefined) return defaultPolicy;
  const { label } = bullet;
  const parsed = parsePolicy(valueText(label));
  if (!parsed.ok) {
    // Beside a manual step the older wording is an instruction for the person who does the step.
    if (!(isManual && label.isSeed))
      context.reporter.error({ rule: "failure-policy", at: label.start, message: parsed.message, accepted: policyGrammar });
    return defaultPolicy;
  }
  const { policy } = parsed;
  if (policy.retries > 0) collectDuration({ lead: "every", start: label.start, label }, context);
  if (policy.then.kind !== "go_to") return policy;
  const wanted = policy.then.step;
  const target = context.steps.find((step) => step.id === stepIdOf(wanted));
  const later = context.steps.filter((step) => step.number > raw.number).map((step) => step.name);
  if (target === undefined || target.number <= raw.number) {
    const message =
      target === undefined ? `There is no step "${wanted}".` : `"${wanted}" does not come later; \`go to\` goes forward only.`;
    context.reporter.error({
      rule: "go-to",
      at: label.start,
      message,
      accepted: later.length === 0 ? "another policy; this is the last step" : oneOf(later),
    });
    return defaultPolicy;
  }
  return { ...policy, then: { kind: "go_to", step: target.id } };
}

/** The prose of a step as Markdown: what stands behind its name and every block that is no labelled bullet. */
function proseOf(item: ListItem, context: ReadContext, instruction: Bullet | undefined): string {
  const { text, reporter } = context;
  const [first, ...others] = item.children;
  const blocks: string[] = [];
  if (first?.type === "paragraph") {
    const nameEnd = first.children[0] === undefined ? spanOf(first).start : spanOf(first.children[0]).end;
    blocks.push(text.slice(nameEnd, spanOf(first).end).replace(/^\s*:?\s*/u, ""));
  }
  if (instruction !== undefined)
    blocks.push(text.slice(spanOf(instruction.item).start, spanOf(instruction.item).end).replace(/^[-*+]\s+/u, ""));
  for (const block of others) {
    if (block.type === "list" && block.ordered !== true) {
      for (const bullet of block.children) {
        const { line } = reporter.positionOf(spanOf(bullet).start);
        if (!context.lines.has(line)) blocks.push(text.slice(spanOf(bullet).start, spanOf(bullet).end));
      }
    } else if (block.type !== "html") blocks.push(text.slice(spanOf(block).start, spanOf(block).end));
  }
  return blocks
    .map((block) =>
      block
        .split(/\r\n|\n|\r/u)
        .map((line, index) => (index === 0 ? line : line.replace(/^ {1,3}/u, "")))
        .join("\n")
        .trim(),
    )
    .filter((block) => block !== "")
    .join("\n\n");
}
