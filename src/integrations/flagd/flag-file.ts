import { createHash } from "node:crypto";
import { elementsOf, type JsonMember, type JsonSpan, membersOf } from "./json-spans.ts";

/** A flag as it is written in a file of flagd. */
export interface WrittenFlag {
  /** Every application gets the variant that means off: the flag is enabled, has no targeting, and its default variant means off. */
  readonly isOff: boolean;
  /** Differs whenever the flag's text differs. */
  readonly version: string;
}

/** What became of a search; `damaged` completes a sentence that begins with the file. */
export type FlagSearch =
  | { readonly kind: "found"; readonly flag: WrittenFlag }
  | { readonly kind: "absent" }
  | { readonly kind: "damaged"; readonly reason: string };

/** The text of the file with the flag's new state; `refused` and `damaged` complete sentences that begin with the flag and with the file. */
export type FlagEdit =
  | { readonly kind: "edited"; readonly text: string }
  | { readonly kind: "unchanged" }
  | { readonly kind: "absent" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "damaged"; readonly reason: string };

/**
 * Beginning of the names under which a flag keeps what was taken away from it. flagd and its providers ignore members that they do not know, so the
 * file itself says how the flag was, and what restores it moves with it.
 */
const kept = "x-runbookd-";
const absent = '{"absent":true}';
const ruling = ["state", "variants", "defaultVariant", "targeting"] as const;
type Ruling = (typeof ruling)[number];

/** How the flag is written in this text. */
export function findFlag(text: string, key: string): FlagSearch {
  const located = locate(text, key);
  if (located.kind !== "located") return located;
  const { span } = located;
  const version = createHash("sha256").update(text.slice(span.from, span.to)).digest("hex").slice(0, 16);
  return { kind: "found", flag: { isOff: isOff(located), version } };
}

/**
 * The text in which every application gets the variant that means off: `false`, or of flags with other values the variant named `off`. A rule that is only
 * guarded could still fail to be read, and then applications take their own default, so the rule is put aside under another name.
 */
export function switchOff(text: string, key: string): FlagEdit {
  const located = locate(text, key);
  if (located.kind !== "located") return located;
  if (isOff(located)) return { kind: "unchanged" };
  const off = offVariantOf(located);
  if (off === undefined) {
    return {
      kind: "refused",
      reason: located.isBoolean ? "has no variant with the value false" : "has no variant named off; its values are not true and false",
    };
  }
  const changed = inSteps(text, key, [
    (flag) => (rests(flag, "targeting", undefined) ? undefined : removalOf(flag, flag.kept.get("targeting"))),
    (flag) => putAside(flag, "targeting", undefined),
    (flag) => (rests(flag, "defaultVariant", off) ? undefined : removalOf(flag, flag.kept.get("defaultVariant"))),
    (flag) => putAside(flag, "defaultVariant", off),
    (flag) => (rests(flag, "state", "ENABLED") ? undefined : removalOf(flag, flag.kept.get("state"))),
    (flag) => putAside(flag, "state", "ENABLED"),
  ]);
  return finished(changed, key, true);
}

/** The text in which the flag is as it was before {@link switchOff}; a boolean flag that was off otherwise gets the variant whose value is true. */
export function switchOn(text: string, key: string): FlagEdit {
  const located = locate(text, key);
  if (located.kind !== "located") return located;
  if (!isOff(located)) return { kind: "unchanged" };
  if (ruling.some((name) => located.kept.has(name))) {
    const steps = ruling.flatMap((name) => [
      (flag: Located) => (flag.kept.has(name) ? removalOf(flag, flag.members.get(name)) : undefined),
      (flag: Located) => restored(flag, name),
    ]);
    return finished(inSteps(text, key, steps), key, false);
  }
  const on = [...located.variants].filter(([, value]) => value === true).map(([name]) => name);
  const [name] = on;
  const member = located.members.get("defaultVariant");
  if (!located.isBoolean || name === undefined || on.length > 1 || member === undefined)
    return {
      kind: "refused",
      reason: "was not switched off here, and nothing says which variant to serve; set its defaultVariant by hand",
    };
  return finished(applied(text, { ...member.value, with: JSON.stringify(name) }), key, false);
}

interface Located {
  readonly kind: "located";
  readonly text: string;
  readonly span: JsonSpan;
  readonly members: ReadonlyMap<string, JsonMember>;
  /** What was put aside, by the name that it had. */
  readonly kept: ReadonlyMap<string, JsonMember>;
  readonly variants: ReadonlyMap<string, unknown>;
  readonly isBoolean: boolean;
}

interface Edit extends JsonSpan {
  readonly with: string;
}

const damaged = (reason: string) => ({ kind: "damaged", reason }) as const;

function locate(text: string, key: string): Located | Extract<FlagSearch, { kind: "absent" | "damaged" }> {
  const root = parse(text);
  if (typeof root !== "object" || root === null || Array.isArray(root)) return damaged("is not a JSON object");
  const top = uniqueMembers(membersOf(text), ["flags"]);
  if (typeof top === "string") return damaged(top);
  const flags = top.get("flags");
  if (flags === undefined) return damaged("has no flags");
  const spans = spansOf(text, flags.value, key);
  if (typeof spans === "string") return damaged(spans);
  const [span] = spans;
  if (span === undefined) return { kind: "absent" };
  if (spans.length > 1) return damaged("has the flag twice");
  if (text[span.from] !== "{") return damaged("has something else than an object for the flag");
  const members = uniqueMembers(membersOf(text, span.from), [...ruling, ...ruling.map((name) => kept + name)]);
  if (typeof members === "string") return damaged(`${members} in the flag`);
  const written = members.get("variants");
  const values: unknown = written === undefined ? undefined : JSON.parse(text.slice(written.value.from, written.value.to));
  if (typeof values !== "object" || values === null || Array.isArray(values)) return damaged("has a flag without variants");
  const variants = new Map<string, unknown>(Object.entries(values));
  return {
    kind: "located",
    text,
    span,
    members,
    kept: new Map([...members].flatMap(([name, member]) => (name.startsWith(kept) ? [[name.slice(kept.length), member] as const] : []))),
    variants,
    isBoolean: variants.size > 0 && [...variants.values()].every((value) => typeof value === "boolean"),
  };
}

/** Where flags of this key are; a text says what is wrong with the collection. */
function spansOf(text: string, flags: JsonSpan, key: string): readonly JsonSpan[] | string {
  if (text[flags.from] === "{")
    return membersOf(text, flags.from)
      .filter((member) => member.key === key)
      .map(({ value }) => value);
  if (text[flags.from] !== "[") return "has neither an object nor a list of flags";
  return elementsOf(text, flags.from).filter(
    ({ from }) => text[from] === "{" && membersOf(text, from).some((member) => member.key === "key" && valueOf(text, member) === key),
  );
}

/** Members by key. flagd takes the last of two and does not look at upper and lower case, so such a file may mean something else to it than to a reader. */
function uniqueMembers(members: readonly JsonMember[], names: readonly string[]): ReadonlyMap<string, JsonMember> | string {
  const byLowerCase = new Map(names.map((name) => [name.toLowerCase(), name]));
  const byKey = new Map<string, JsonMember>();
  for (const member of members) {
    const name = byLowerCase.get(member.key.toLowerCase());
    if (name === undefined) continue;
    if (member.key !== name) return `spells ${name} in another case`;
    if (byKey.has(name)) return `has ${name} twice`;
    byKey.set(name, member);
  }
  return byKey;
}

function isOff(flag: Located): boolean {
  if (ruledBy(flag, "state") === "DISABLED" || hasTargeting(flag)) return false;
  const name = ruledBy(flag, "defaultVariant");
  return typeof name === "string" && meansOff(flag, name);
}

function meansOff({ variants, isBoolean }: Located, name: string): boolean {
  return isBoolean ? variants.get(name) === false : name === "off" && variants.has(name);
}

function offVariantOf(flag: Located): string | undefined {
  const names = [...flag.variants.keys()].filter((name) => meansOff(flag, name));
  return names.find((name) => name === "off") ?? names[0];
}

function hasTargeting(flag: Located): boolean {
  const targeting = ruledBy(flag, "targeting");
  return targeting !== undefined && canonical(targeting) !== "{}";
}

function ruledBy({ text, members }: Located, name: Ruling): unknown {
  const member = members.get(name);
  return member === undefined ? undefined : valueOf(text, member);
}

/** Whether a member needs no change for the flag to be off. */
function rests(flag: Located, name: Ruling, next: string | undefined): boolean {
  if (name === "targeting") return !hasTargeting(flag);
  const value = ruledBy(flag, name);
  return name === "state" ? value !== "DISABLED" : value === next;
}

/** Renames a member, so that its text stays as it is, and gives `next` its place. */
function putAside(flag: Located, name: Ruling, next: string | undefined): Edit | undefined {
  if (rests(flag, name, next)) return undefined;
  const member = flag.members.get(name);
  const replacement = next === undefined ? "" : `"${name}": ${JSON.stringify(next)}, `;
  if (member !== undefined) return { ...member.written, with: `${replacement}"${kept}${name}"` };
  const at = membersOf(flag.text, flag.span.from)[0]?.written.from ?? flag.span.from + 1;
  return { from: at, to: at, with: `${replacement}"${kept}${name}": ${absent}, ` };
}

/** The member gets its name back, or goes where there was none. */
function restored(flag: Located, name: Ruling): Edit | undefined {
  const old = flag.kept.get(name);
  if (old === undefined) return undefined;
  if (canonical(valueOf(flag.text, old)) === absent) return removalOf(flag, old);
  return { ...old.written, with: `"${name}"` };
}

/** A member with the comma and the white space behind it, or with the comma before it when it is the last. */
function removalOf({ text, span }: Located, member: JsonMember | undefined): Edit | undefined {
  if (member === undefined) return undefined;
  const { written, value } = member;
  const after = /^\s*,\s*/.exec(text.slice(value.to, span.to))?.[0];
  if (after !== undefined) return { from: written.from, to: value.to + after.length, with: "" };
  const before = /,\s*$/.exec(text.slice(span.from, written.from))?.[0];
  return { from: written.from - (before?.length ?? 0), to: value.to, with: "" };
}

/** Looks the flag up again before every step, since each moves what follows it. */
function inSteps(text: string, key: string, steps: readonly ((flag: Located) => Edit | undefined)[]): string {
  return steps.reduce((now, step) => {
    const flag = locate(now, key);
    const edit = flag.kind === "located" ? step(flag) : undefined;
    return edit === undefined ? now : applied(now, edit);
  }, text);
}

function applied(text: string, { from, to, with: replacement }: Edit): string {
  return text.slice(0, from) + replacement + text.slice(to);
}

/** Only a text that says what was asked for is ever written. */
function finished(text: string, key: string, off: boolean): FlagEdit {
  const flag = locate(text, key);
  if (flag.kind === "located" && isOff(flag) === off) return { kind: "edited", text };
  return {
    kind: "refused",
    reason: `cannot be switched ${off ? "off" : "on"} by an edit; do it by hand (what was put aside is named ${kept}…)`,
  };
}

function valueOf(text: string, { value }: JsonMember): unknown {
  return JSON.parse(text.slice(value.from, value.to));
}

function canonical(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

/** undefined: it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
