import { durationGrammar, parseDuration } from "../core/duration.ts";
import type { ActionCatalogue } from "../core/action.ts";
import { bindCall, insideCode, type BoundCall, type CallContext } from "./action-call.ts";
import { durationBehind, type DurationLead, type DurationSite } from "./duration-site.ts";
import { checkExpression, type KnownNames } from "./expression.ts";
import { labelNames, readLabel, type Label, type LabelKind } from "./label.ts";
import { plainText, spanOf, type Code, type ListItem, type PhrasingContent } from "./markdown.ts";
import { defaultPolicy, parsePolicy, policyGrammar } from "./policy.ts";
import { oneOf, type Reporter } from "./reporter.ts";
import type { ApprovalRule, Expression, FailurePolicy, Step } from "./runbook.ts";
import { stepIdOf } from "./step-id.ts";

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

/** The name in bold that an item begins with. */
export function stepName(item: ListItem): { readonly name: string; readonly rest: readonly PhrasingContent[] } | undefined {
  const [paragraph] = item.children;
  if (paragraph?.type !== "paragraph") return undefined;
  const [bold, ...rest] = paragraph.children;
  if (bold?.type !== "strong") return undefined;
  const name = plainText(bold).replaceAll(/\s+/gu, " ").trim().replace(/:$/u, "").trim();
  return stepIdOf(name) === "" ? undefined : { name, rest };
}

/** Reads the bullets of a step. Always a step, so that nothing is dropped; faults are reported. */
export function readStep(raw: RawStep, context: ReadContext): Step {
  const { reporter } = context;
  const bullets = bulletsOf(raw.item, context);
  const earlier = context.steps.filter((step) => step.number < raw.number).map((step) => step.id);
  const names: KnownNames = {
    roots: ["alert", "params", "steps", "before", "now", "run"],
    params: context.params,
    steps: earlier,
    metrics: context.metrics,
  };
  const undoNames: KnownNames = { ...names, steps: [...earlier, raw.id] };
  const action = readAction(bullets.get("action"), { ...context, names });
  const undo = readAction(bullets.get("undo"), { ...context, names: undoNames });
  const isManual = !bullets.has("action") || isInstruction(bullets.get("action"), context.catalogue);
  const when = readExpression(bullets.get("when"), names, context, false);
  const expectedBullet = bullets.get("expected");
  const expected = isManual
    ? undefined
    : readExpression(
        expectedBullet,
        { ...names, roots: [...names.roots, "result"], ...(action && { result: Object.keys(action.spec.result) }) },
        context,
        true,
      );
  const expectedText = isManual && expectedBullet !== undefined ? valueText(expectedBullet.label) : undefined;
  const approval = readApproval(bullets.get("approval"), names, context);
  const timeoutMs = readTimeout(bullets.get("timeout"), context);
  const onFailure = readPolicy(bullets.get("failure"), raw, isManual, context);

  if (action !== undefined && expected?.withinMs !== undefined && !action.spec.probes && effectOf(action) !== "read") {
    reporter.error(
      "within-without-probe",
      expectedBullet?.label.start ?? 0,
      `\`${action.spec.name}\` cannot be read again, so \`within\` cannot come true later.`,
      "an Expected without `within`, or a later step that reads",
    );
  }
  if (raw.readOnly && action !== undefined && effectOf(action) !== "read") {
    reporter.error(
      "diagnosis-writes",
      bullets.get("action")?.label.start ?? 0,
      `Steps under Diagnosis only read; \`${action.spec.name}\` changes something.`,
      "the step under `## Procedure`",
    );
  }
  if (isManual && undo !== undefined) {
    reporter.error(
      "undo-without-action",
      bullets.get("undo")?.label.start ?? 0,
      "A manual step has no Undo of its own.",
      "an Action beside the Undo, or the Undo as text for people",
    );
  }
  if (isManual && timeoutMs !== undefined) {
    reporter.error(
      "timeout-without-action",
      bullets.get("timeout")?.label.start ?? 0,
      "A manual step waits for a person and has no Timeout.",
      "an Action beside the Timeout",
    );
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

/** The labelled bullets directly below an item, each at most once; `allowed` are those that mean something here. */
export function bulletsOf(
  item: ListItem,
  context: ReadContext,
  allowed: readonly LabelKind[] = ["action", "when", "expected", "failure", "undo", "approval", "timeout"],
): ReadonlyMap<LabelKind, Bullet> {
  const found = new Map<LabelKind, Bullet>();
  for (const child of item.children) {
    if (child.type !== "list" || child.ordered === true) continue;
    for (const bullet of child.children) {
      const one = readBullet(bullet, context, allowed);
      if (one === undefined) continue;
      if (found.has(one.label.kind)) {
        context.reporter.error(
          "repeated-bullet",
          one.label.start,
          `\`${one.label.written}\` is there twice in this step.`,
          "each bullet at most once",
        );
      } else found.set(one.label.kind, one);
    }
  }
  return found;
}

/** A list item as a labelled bullet; undefined when it is prose or its label was refused. */
export function readBullet(item: ListItem, context: ReadContext, allowed: readonly LabelKind[]): Bullet | undefined {
  const [paragraph, next] = item.children;
  if (paragraph?.type !== "paragraph") return undefined;
  const reading = readLabel(paragraph);
  if (reading.kind === "prose") return undefined;
  const start = spanOf(paragraph).start;
  if (reading.kind === "near") {
    const accepted = `\`${labelNames[reading.meant]}: …\``;
    if (reading.problem === "colon")
      context.reporter.error("label-colon", start, `The colon behind \`${reading.written}\` is missing.`, accepted);
    else
      context.reporter.error("label-spelling", start, `\`${reading.written}\` is no known label.`, `${accepted}, or other words for prose`);
    return undefined;
  }
  const { label } = reading;
  context.lines.add(context.reporter.positionOf(start).line);
  if (!allowed.includes(label.kind)) {
    context.reporter.error(
      "label-misplaced",
      start,
      `\`${label.written}\` means nothing here.`,
      oneOf(allowed.map((kind) => labelNames[kind])),
    );
    return undefined;
  }
  if (next?.type !== "code" || (label.kind !== "action" && label.kind !== "undo")) return { label, item };
  const info = next.lang?.toLowerCase();
  if (info !== "yaml" && info !== "yml") return { label, item };
  context.fences.add(next);
  return { label, item, fence: next };
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
    context.reporter.error("one-code", label.start, `\`${label.written}\` ${problem}.`, accepted);
    return undefined;
  }
  const before = plainText(label.value.slice(0, only.index)).trim();
  if (before !== "") {
    context.reporter.error("one-code", label.start, `\`${label.written}\` has text before its inline code.`, accepted);
    return undefined;
  }
  const start = insideCode(context.text, only.node, spanOf(only.node).start);
  return { value: only.node.value.trim(), start, after: plainText(label.value.slice(only.index + 1)).trim() };
}

/** Whether an action in the older wording is an instruction for people and no name of an action. */
function isInstruction(bullet: Bullet | undefined, catalogue: ActionCatalogue): boolean {
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
    context.reporter.error(
      "text-after-code",
      code.start + code.value.length,
      `There is text behind the action: \`${code.after.slice(0, 40)}\`.`,
      "text for people in the step itself",
    );
    return undefined;
  }
  return bindCall(code.value, code.start, bullet.fence, context);
}

/** Reads When or Expected: one inline code, for Expected with an optional `within D`. */
export function readExpression(
  bullet: Bullet | undefined,
  names: KnownNames,
  context: ReadContext,
  mayWait: boolean,
): { readonly expression: Expression; readonly withinMs?: number } | undefined {
  if (bullet === undefined) return undefined;
  const accepted = mayWait
    ? "one expression in backticks, then `within D` or nothing"
    : "one expression in backticks and nothing behind it";
  const code = codeValue(bullet, context, accepted);
  if (code === undefined) return undefined;
  const withinMs = readWithin(code.after, mayWait, code.start + code.value.length, accepted, context.reporter);
  if (typeof withinMs === "number") noteDuration("within", code.start + code.value.length, bullet.label, context);
  const expression = provenExpression(code.value, code.start, names, context.reporter);
  if (withinMs === "refused" || expression === undefined) return undefined;
  return { expression, ...(withinMs !== undefined && { withinMs }) };
}

/** Reads the `within D` behind a check. */
export function readWithin(
  after: string,
  mayWait: boolean,
  at: number,
  accepted: string,
  reporter: Reporter,
): number | "refused" | undefined {
  if (after === "") return undefined;
  const written = mayWait ? /^within\s+(\S+)$/iu.exec(after)?.[1] : undefined;
  if (written === undefined) {
    reporter.error("text-after-code", at, `There is text behind the expression: \`${after.slice(0, 40)}\`.`, accepted);
    return "refused";
  }
  const ms = parseDuration(written);
  if (ms === undefined || ms === 0) {
    reporter.error("duration", at, `\`${written}\` is no duration of more than zero.`, durationGrammar);
    return "refused";
  }
  return ms;
}

/** An expression whose syntax and names hold. */
export function provenExpression(source: string, at: number, names: KnownNames, reporter: Reporter): Expression | undefined {
  const checked = checkExpression(source, names);
  if (checked.ok) return { source, position: reporter.positionOf(at) };
  reporter.error("expression", at + checked.offset, checked.message, checked.accepted);
  return undefined;
}

const approvalPattern = /^(?<role>operator|approver)(?:\s+of\s+(?<of>\d+))?(?:\s+within\s+(?<within>\S+))?(?:\s+(?<unless>unless))?$/iu;
const defaultApprovalMs = 3_600_000;

function readApproval(bullet: Bullet | undefined, names: KnownNames, context: ReadContext): ApprovalRule | undefined {
  if (bullet === undefined) return undefined;
  const { label } = bullet;
  const accepted = "`ROLE [of N] [within D] [unless `expr`]` with the role operator or approver, e.g. `approver of 2 within 30m`";
  const fail = (message: string) => {
    context.reporter.error("approval", label.start, message, accepted);
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
      : provenExpression(code.value.trim(), insideCode(context.text, code, spanOf(code).start), names, context.reporter);
  if (groups["within"] !== undefined) noteDuration("within", label.start, label, context);
  const role = groups["role"]?.toLowerCase() === "operator" ? "operator" : "approver";
  return { role, of: people, withinMs, ...(unless && { unless }) };
}

function noteDuration(lead: DurationLead, start: number, label: Label, context: ReadContext): void {
  context.durations.push(...durationBehind(lead, context.text, start, label.end));
}

function readTimeout(bullet: Bullet | undefined, context: ReadContext): number | undefined {
  if (bullet === undefined) return undefined;
  const text = valueText(bullet.label);
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) {
    noteDuration("colon", bullet.label.start, bullet.label, context);
    return ms;
  }
  context.reporter.error("duration", bullet.label.start, `\`${text.slice(0, 40)}\` is no duration of more than zero.`, durationGrammar);
  return undefined;
}

function readPolicy(bullet: Bullet | undefined, raw: RawStep, isManual: boolean, context: ReadContext): FailurePolicy {
  if (bullet === undefined) return defaultPolicy;
  const { label } = bullet;
  const parsed = parsePolicy(valueText(label));
  if (!parsed.ok) {
    // Beside a manual step the older wording is an instruction for the person who does the step.
    if (!(isManual && label.isSeed)) context.reporter.error("failure-policy", label.start, parsed.message, policyGrammar);
    return defaultPolicy;
  }
  const { policy } = parsed;
  if (policy.retries > 0) noteDuration("every", label.start, label, context);
  if (policy.then.kind !== "go_to") return policy;
  const wanted = policy.then.step;
  const target = context.steps.find((step) => step.id === stepIdOf(wanted));
  const later = context.steps.filter((step) => step.number > raw.number).map((step) => step.name);
  if (target === undefined || target.number <= raw.number) {
    const message =
      target === undefined ? `There is no step "${wanted}".` : `"${wanted}" does not come later; \`go to\` goes forward only.`;
    context.reporter.error("go-to", label.start, message, later.length === 0 ? "another policy; this is the last step" : oneOf(later));
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
