import { type LayerRole, type PromptLayout, runtimeContextLayer } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import { formatShare } from "../../core/share.ts";
import { isDataOnly, isLabelledValue } from "./restructure-layout.ts";

/** What a change of layout means for the model, and who must allow it. */
export interface LayoutVerdict {
  /** Why it is refused; empty when it is not. */
  readonly faults: readonly string[];
  /** Who may allow it: `auto` for canonical form, markers, one short labelled value that goes to the end, and small moves within a role. */
  readonly approval: "auto" | "person";
  /** Why a person is needed; empty for `auto`. */
  readonly reasons: readonly string[];
  /** Of the tokens, those that stand elsewhere in relation to the rest, 0 to 1. */
  readonly movedShare: number;
  /** Of the tokens, 0 to 1, added by tags. */
  readonly addedShare: number;
}

/** More than this of the tokens moved is a person's decision. */
const maxMoved = 0.3;
/** More than this of the tokens added is another prompt. */
const maxAdded = 0.01;
const bytesPerToken = 3.6;
/** A clock, an id or a path is not longer; what is, may say anything. */
const maxValueTokens = 64;

const tags = [`<${runtimeContextLayer}>`, `</${runtimeContextLayer}>`];

/**
 * The static gate: the same lines in the same layers and there in the same order, each in its own role but for data that moves into the runtime context, and next to
 * nothing added. Data that moves to another role needs a person unless it is one short labelled value. `tokensOf` is how long a layer is on average, with its
 * variables filled. Pure; it proves what it permits from the templates alone.
 */
export function judgeLayoutChange(
  before: PromptLayout,
  after: PromptLayout,
  tokensOf: (layerKey: string) => number | undefined,
): LayoutVerdict {
  const old = linesOf(before);
  const now = linesOf(after).filter(({ line }) => !tags.includes(line));
  const faults = [...surplus(old, now).map((line) => `lost: ${shown(line)}`), ...surplus(now, old).map((line) => `added: ${shown(line)}`)];

  const measured = { layout: before, tokensOf };
  const reasons: string[] = [];
  const crossed = now.filter(
    ({ line, role }) => old.some((one) => one.line === line) && !old.some((one) => one.line === line && one.role === role),
  );
  for (const { line, role } of crossed) {
    const isData = role === "user" && isDataOnly(line);
    if (!isData) faults.push(`text would change its role to ${role}: ${shown(line)}`);
    else if (!isShortValue(line, crossed, measured)) reasons.push(`${shown(line)} would move to role ${role} and may be more than a value`);
  }
  for (const { key, render } of after.layers) {
    const previousLayer = before.layers.find((layer) => layer.key === key);
    const unchangedLines = linesIn(render).filter((line) => old.some((one) => one.line === line));
    if (previousLayer === undefined || key === runtimeContextLayer || isInOrder(unchangedLines, linesIn(previousLayer.render))) continue;
    faults.push(`the lines of ${key} would stand in another order, or in another layer`);
  }

  const total = before.layers.reduce((sum, { key }) => sum + sizeOf(key, measured), 0);
  const addedTokens = linesOf(after)
    .filter(({ line }) => tags.includes(line))
    .reduce((sum, { line }) => sum + line.length / bytesPerToken, 0);
  const hadTags = linesOf(before).some(({ line }) => tags.includes(line));
  const addedShare = total === 0 || hadTags ? 0 : addedTokens / total;
  if (addedShare > maxAdded) faults.push(`tags would add ${percent(addedShare)} of the tokens; at most ${percent(maxAdded)} is taken`);

  const movedShare = total === 0 ? 0 : 1 - heaviestCommonOrder(measured, after) / total;
  if (movedShare > maxMoved) reasons.push(`${percent(movedShare)} of the tokens move; above ${percent(maxMoved)} a person decides`);
  return { faults, approval: reasons.length === 0 ? "auto" : "person", reasons, movedShare, addedShare };
}

/** A layout with the lengths of its layers as they were measured. */
interface MeasuredLayout {
  readonly layout: PromptLayout;
  readonly tokensOf: (layerKey: string) => number | undefined;
}

interface PlacedLine {
  readonly line: string;
  readonly role: LayerRole;
}

function linesOf({ layers }: PromptLayout): readonly PlacedLine[] {
  return layers.flatMap(({ role, render }) => linesIn(render).map((line) => ({ line, role })));
}

/** Blanks at the beginning of a line say something, those at its end do not. */
function linesIn(render: string): readonly string[] {
  return render
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}

function isInOrder(part: readonly string[], whole: readonly string[]): boolean {
  let next = 0;
  for (const line of whole) if (line === part[next]) next += 1;
  return next === part.length;
}

/** Whether a line is all data of its layer: then it alone is what changes, and its length is known. */
function isShortValue(line: string, crossed: readonly PlacedLine[], measured: MeasuredLayout): boolean {
  const layer = measured.layout.layers.find(({ render }) => linesIn(render).includes(line));
  if (layer === undefined || !isLabelledValue(line)) return false;
  const lines = linesIn(layer.render);
  if (lines.some((other) => other !== line && crossed.some((one) => one.line === other))) return false;
  const otherLines = lines.filter((other) => other !== line).join("\n");
  return sizeOf(layer.key, measured) - Buffer.byteLength(otherLines) / bytesPerToken <= maxValueTokens;
}

/** Lines of `a` beyond those of `b`, counted. */
function surplus(a: readonly PlacedLine[], b: readonly PlacedLine[]): readonly string[] {
  const remainingCounts = new Map<string, number>();
  for (const { line } of b) remainingCounts.set(line, (remainingCounts.get(line) ?? 0) + 1);
  return a.flatMap(({ line }) => {
    const count = remainingCounts.get(line) ?? 0;
    remainingCounts.set(line, count - 1);
    return count > 0 ? [] : [line];
  });
}

function sizeOf(key: string, { layout, tokensOf }: MeasuredLayout): number {
  const render = layout.layers.find((layer) => layer.key === key)?.render ?? "";
  return tokensOf(key) ?? Math.max(1, Buffer.byteLength(render) / bytesPerToken);
}

/** Tokens of the heaviest set of layers that stand in the same order in both: everything else has moved. */
function heaviestCommonOrder(measured: MeasuredLayout, after: PromptLayout): number {
  const place = new Map(after.layers.map(({ key }, index) => [key, index]));
  const best: { readonly place: number; readonly weight: number }[] = [];
  for (const { key } of measured.layout.layers) {
    const at = place.get(key);
    if (at === undefined) continue;
    const upTo = Math.max(0, ...best.filter((one) => one.place < at).map(({ weight }) => weight));
    best.push({ place: at, weight: upTo + sizeOf(key, measured) });
  }
  return Math.max(0, ...best.map(({ weight }) => weight));
}

/** Without its decimal a small share would say little. */
function percent(share: number): string {
  return formatShare(share, { decimals: share < 0.1 ? 1 : 0 });
}

function shown(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
