import type { z } from "zod";
import { cleanText } from "../../../core/clean-text.ts";
import { sha256 } from "../../../core/json.ts";
import { readPattern } from "../../../core/linear-pattern.ts";
import { oneLine, shortLine } from "../../../core/one-line.ts";
import { attackSchema, corpusLimits, harmlessSchema, type WrittenMark } from "../attack-corpus-schema.ts";

/** An attack and a harmless request as they are written into a corpus. */
export type WrittenAttack = z.input<typeof attackSchema>;
/** See {@link WrittenAttack}. */
export type WrittenHarmless = z.input<typeof harmlessSchema>;

/** What is said of one item of a document; `at` is its place. `passed_over`: it is neither an attack nor a request, and `reason` says what it is. */
export type AttackReading =
  | { readonly kind: "attack"; readonly at: string; readonly entry: WrittenAttack }
  | { readonly kind: "harmless"; readonly at: string; readonly entry: WrittenHarmless }
  | { readonly kind: "unreadable" | "passed_over"; readonly at: string; readonly reason: string };

/** The items of a document, or why nothing of it is taken. No sentence quotes the document. */
export type AttackDocument =
  | { readonly kind: "document"; readonly readings: readonly AttackReading[] }
  | { readonly kind: "refused"; readonly reason: string };

/** What a document is read with. */
export interface AttackImportContext {
  /** By what attacks are recognized that the document's own tool judges; empty: such attacks are not taken. */
  readonly marks: readonly WrittenMark[];
  /** Ids of OWASP that every attack gets. */
  readonly owasp: readonly string[];
  /** The variable of a promptfoo test that is sent; absent: the one that the document names, `prompt`, or the only one. */
  readonly variable?: string;
}

/** An attack before it is proven. */
export interface AttackDraft {
  /** What it is called where it comes from. */
  readonly name: string;
  readonly turns: readonly string[];
  readonly success: readonly WrittenMark[];
}

/** Proves an attack. One without a mark of its own gets those of the context. */
export function readAttackDraft(at: string, { name, turns, success }: AttackDraft, { marks, owasp }: AttackImportContext): AttackReading {
  const all = success.length > 0 ? success : marks;
  if (all.length === 0)
    return {
      kind: "unreadable",
      at,
      reason:
        "The document does not say by what a success is recognized in the answer. Name it: --contains, --regex, --tool or --honeytoken.",
    };
  const parsed = attackSchema.safeParse({
    id: idOf(name, turns),
    ...(owasp.length > 0 && { owasp }),
    turns,
    success: all.length === 1 ? all[0] : all,
  });
  const fault = parsed.success ? faultOfPatterns(all) : describeIssue(parsed.error.issues[0]);
  if (fault !== undefined) return { kind: "unreadable", at, reason: fault };
  return {
    kind: "attack",
    at,
    entry: {
      id: idOf(name, turns),
      ...(owasp.length > 0 && { owasp: [...owasp] }),
      turns: [...turns],
      success: all.length === 1 && all[0] !== undefined ? all[0] : [...all],
    },
  };
}

/** Proves a harmless request. */
export function readHarmlessDraft(
  at: string,
  { name, turns, expected }: Pick<AttackDraft, "name" | "turns"> & { readonly expected: readonly WrittenMark[] },
): AttackReading {
  const entry: WrittenHarmless = { id: idOf(name, turns), turns: [...turns], expected: [...expected] };
  const parsed = harmlessSchema.safeParse(entry);
  const fault = parsed.success ? faultOfPatterns(expected) : describeIssue(parsed.error.issues[0]);
  return fault === undefined ? { kind: "harmless", at, entry } : { kind: "unreadable", at, reason: fault };
}

/** A pattern of another dialect may not exist in ours: it is no pattern then, and not one that never matches. */
function faultOfPatterns(marks: readonly WrittenMark[]): string | undefined {
  for (const mark of marks) {
    const source = "regex" in mark ? mark.regex : "tool_called" in mark ? mark.arguments : undefined;
    if (source === undefined) continue;
    const reading = readPattern(source, "part");
    if (!reading.ok) return `Its regular expression ${reading.fault}; those of RE2 are accepted, without references and look-around.`;
    if (reading.pattern.instructions > corpusLimits.patternInstructions) return "Its regular expression is too large.";
    if (reading.pattern.test("") === true) return "Its regular expression matches the empty text, and so every answer.";
  }
  return undefined;
}

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  return shortLine(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not accepted"}.`, 300);
}

/** An id that people recognize and that two attacks with different turns do not share. */
function idOf(name: string, turns: readonly string[]): string {
  const words = oneLine(cleanText(name, 500))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 80)
    .replace(/-+$/, "");
  return `${words === "" ? "attack" : words}-${sha256(JSON.stringify(turns)).slice(0, 8)}`;
}

/** A member of an untrusted value; undefined where there is none. */
export function memberOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return undefined;
    current = Reflect.get(current, name);
  }
  return current;
}

/** The texts of a value that is a text or a list of texts, without empty ones. */
export function textsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === "string" && one.trim() !== "");
}
