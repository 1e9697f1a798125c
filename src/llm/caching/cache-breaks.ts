import type { BreakClass, UnitBehaviour } from "../../../packages/sdk/src/wire/caches.ts";
import type { SpanKind } from "../../../packages/sdk/src/wire/volatile-span.ts";
import { prepareTrace } from "./cache-replay.ts";
import { conversation, type SegmentBlock, type SegmentedRequest, traceOf } from "./cache-samples.ts";
import { movesWhole } from "./cache-transforms.ts";

/** One unit at which prefixes end early. */
export interface BrokenUnit {
  readonly unit: string;
  readonly class: BreakClass;
  /** Requests whose prefix survived up to this unit and no further, of all requests, 0 to 1: S(i−1) − S(i) of the unit's boundaries together. */
  readonly breakRatio: number;
  /** Tokens per request that mending it can win at most: what stands behind the break and was seen lately, and what stays of the broken block. */
  readonly damageTokens: number;
  /** Kinds of the spans that differ, the most frequent first. */
  readonly spans: readonly SpanKind[];
  /** How often the breaks of this unit were of its class, 0 to 1. */
  readonly agreement: number;
  /** Two requests to look at: indexes of one that broke and of the one it was compared with. */
  readonly example: readonly [number, number];
}

interface Tally {
  breaks: number;
  damage: number;
  readonly classes: Map<BreakClass, number>;
  readonly spans: Map<SpanKind, number>;
  readonly examples: Map<BreakClass, readonly [number, number]>;
}

/**
 * Finds where prefixes end, by request: the survival of boundary i is the share of requests whose first i blocks equal those of some request within
 * `lifetimeMs`, and its damage is the fall of survival times the tokens that mending it lets be read: those behind it that were seen in that time at any place,
 * and what stays of the broken block itself. The most damaging first.
 */
export function findBreaks(
  requests: readonly SegmentedRequest[],
  lifetimeMs: number,
  units: ReadonlyMap<string, UnitBehaviour>,
): readonly BrokenUnit[] {
  const trace = prepareTrace(traceOf(requests));
  const textOnly = prepareTrace(traceOf(requests).map(({ parameters: _parameters, ...request }) => request));
  const lastWithPrefix = new Int32Array(trace.prefixes).fill(-1);
  const lastWithText = new Int32Array(textOnly.prefixes).fill(-1);
  const lastWithBlock = new Map<string, number>();
  const tallies = new Map<string, Tally>();
  const classify = createClassifier(units);

  for (const [index, request] of requests.entries()) {
    const prefix = trace.requests[index]?.prefix ?? new Int32Array();
    const recent = (other: number | undefined) =>
      other !== undefined && other >= 0 && request.at - (requests[other]?.at ?? 0) <= lifetimeMs;
    const text = textOnly.requests[index]?.prefix ?? new Int32Array();
    const broken = request.blocks.findIndex((_, block) => !recent(lastWithPrefix[prefix[block] ?? 0]));
    const brokenText = request.blocks.findIndex((_, block) => !recent(lastWithText[text[block] ?? 0]));
    const textEnd = brokenText < 0 ? request.blocks.length : brokenText;
    const parent = broken > 0 ? lastWithPrefix[prefix[broken - 1] ?? 0] : index - 1;
    if (broken >= 0 && recent(parent)) {
      const churned = textEnd > broken;
      // With the parameters pinned the text itself would have survived; otherwise what was seen lately would.
      const lost = request.blocks.slice(churned ? broken : broken + 1).filter(({ hash }) => recent(lastWithBlock.get(hash)));
      const classification = churned ? churnedParameters : classify(request, requests[parent ?? -1], broken);
      const damage = lost.reduce((sum, { tokens }) => sum + tokens, recoverableTokens(classification, request.blocks[broken]));
      if (classification !== undefined && damage > 0) {
        const tally = tallyOf(tallies, classification.unit);
        tally.breaks += 1;
        tally.damage += damage;
        tally.classes.set(classification.class, (tally.classes.get(classification.class) ?? 0) + damage);
        tally.examples.set(classification.class, [index, parent ?? -1]);
        for (const span of classification.spans) tally.spans.set(span, (tally.spans.get(span) ?? 0) + 1);
      }
    }
    for (const number of text) lastWithText[number] = index;
    for (const [block, { hash }] of request.blocks.entries()) {
      lastWithPrefix[prefix[block] ?? 0] = index;
      lastWithBlock.set(hash, index);
    }
  }
  return [...tallies].map(([unit, tally]) => summarize(unit, tally, requests.length)).sort((a, b) => b.damageTokens - a.damageTokens);
}

interface Classified {
  readonly unit: string;
  readonly class: BreakClass;
  readonly spans: readonly SpanKind[];
}

const churnedParameters: Classified = { unit: "parameters", class: "parameter_churn", spans: [] };

/** Why `request` stops being like `parent` at block `at`. Undefined: it does not, it only goes on. */
type Classifier = (request: SegmentedRequest, parent: SegmentedRequest | undefined, at: number) => Classified | undefined;

function createClassifier(units: ReadonlyMap<string, UnitBehaviour>): Classifier {
  return (request, parent, at) => {
    const mine = request.blocks[at];
    const theirs = parent?.blocks[at];
    if (mine === undefined || parent === undefined) return undefined;
    const { unit } = mine;
    // Another ticket's conversation is another one; the same ticket's only grows, unless what was said before is rewritten.
    if (unit === conversation && request.ticketId !== parent.ticketId) return undefined;
    const named = (name: BreakClass, of = unit, spans: readonly SpanKind[] = []): Classified => ({ unit: of, class: name, spans });
    if (theirs === undefined) return unit === conversation ? undefined : named("conditional_section");
    if (canonicalOf(mine) === canonicalOf(theirs) || (mine.role === "tools" && theirs.role === "tools" && sameTools(request, parent)))
      return named("order_noise");
    if (unit !== theirs.unit) {
      if (!parent.blocks.some((block) => block.unit === unit)) return unit === conversation ? undefined : named("conditional_section");
      if (!request.blocks.some((block) => block.unit === theirs.unit)) return named("conditional_section", theirs.unit);
      return named("scope_order");
    }
    const within = units.get(unit)?.changesWithinTicket;
    const steady = unit !== conversation && within !== undefined && within <= 0.2;
    if (!steady && mine.masked !== undefined && mine.masked === theirs.masked) return named("volatile_span", unit, mine.spans ?? []);
    return named(steady ? "scope_order" : "changes_often");
  };
}

/** What of the broken block itself would be read once it is mended: all of it in canonical form, and without its volatile spans what is left. */
function recoverableTokens(classification: Classified | undefined, block: SegmentBlock | undefined): number {
  if (classification === undefined || block === undefined) return 0;
  if (classification.class === "order_noise") return block.tokens;
  return classification.class === "volatile_span" && !movesWhole(block) ? block.tokens - (block.spanTokens ?? 0) : 0;
}

function canonicalOf({ canonical, hash }: SegmentBlock): string {
  return canonical ?? hash;
}

/** Whether two requests bring the same tools in another order. */
function sameTools(a: SegmentedRequest, b: SegmentedRequest): boolean {
  const tools = ({ blocks }: SegmentedRequest) =>
    blocks
      .filter(({ role }) => role === "tools")
      .map(canonicalOf)
      .sort();
  const [first, second] = [tools(a), tools(b)];
  return first.length === second.length && first.every((hash, index) => hash === second[index]);
}

function tallyOf(tallies: Map<string, Tally>, unit: string): Tally {
  const tally = tallies.get(unit) ?? { breaks: 0, damage: 0, classes: new Map(), spans: new Map(), examples: new Map() };
  tallies.set(unit, tally);
  return tally;
}

function summarize(unit: string, tally: Tally, requests: number): BrokenUnit {
  const [first] = [...tally.classes].sort(([, a], [, b]) => b - a);
  const name = first?.[0] ?? "changes_often";
  return {
    unit,
    class: name,
    breakRatio: tally.breaks / requests,
    damageTokens: tally.damage / requests,
    spans: [...tally.spans].sort(([, a], [, b]) => b - a).map(([kind]) => kind),
    agreement: (first?.[1] ?? 0) / Math.max(tally.damage, Number.EPSILON),
    example: tally.examples.get(name) ?? [-1, -1],
  };
}

const shownAround = 24;
const shownDifference = 80;

/** What differs between the two requests of a broken unit's example, or undefined when their texts are not known. */
export function showDifference(
  requests: readonly SegmentedRequest[],
  { unit, example }: BrokenUnit,
): readonly [string, string] | undefined {
  const [after, before] = example.map((index) => requests[index]?.blocks.filter((block) => block.unit === unit) ?? []);
  const place = after?.findIndex((block, index) => block.hash !== before?.[index]?.hash) ?? -1;
  const [old, now] = [before?.[place]?.text, after?.[place]?.text];
  if (old === undefined || now === undefined || old === now) return undefined;
  let start = 0;
  while (start < old.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const shown = (text: string) =>
    text.slice(Math.max(0, start - shownAround), Math.min(text.length - end + shownAround, start + shownDifference));
  return [shown(old), shown(now)];
}

/** Orders in which the same tools, or the same JSON, were sent: 1 when there is no noise. Noise of a few orders survives in the cache and still pays for each. */
export function countOrders(requests: readonly SegmentedRequest[]): number {
  const orders = new Map<string, Set<string>>();
  for (const { blocks } of requests) {
    const tools = blocks.filter(({ role }) => role === "tools");
    const set = tools.map(canonicalOf).sort().join(" ");
    orders.set(set, (orders.get(set) ?? new Set()).add(tools.map(({ hash }) => hash).join(" ")));
  }
  return Math.max(1, ...[...orders.values()].map(({ size }) => size));
}
