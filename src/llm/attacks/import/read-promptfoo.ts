import type { WrittenMark } from "../attack-corpus-schema.ts";
import {
  type AttackDocument,
  type AttackImportContext,
  type AttackReading,
  memberOf,
  readAttackDraft,
  readHarmlessDraft,
  textsOf,
} from "./attack-reading.ts";

/**
 * Reads tests of promptfoo (https://www.promptfoo.dev/docs/configuration/test-cases): a configuration with `tests`, or a list of tests. What a test says must
 * not be in an answer is the success of an attack; a test that only says what must be there is a harmless request.
 */
export function readPromptfoo(document: unknown, context: AttackImportContext): AttackDocument {
  const tests: unknown = Array.isArray(document) ? document : memberOf(document, "tests");
  if (!Array.isArray(tests))
    return { kind: "refused", reason: "The document has no list `tests`. Tests in other files are imported from those files." };
  const named = textsOf(memberOf(document, "redteam", "injectVar"))[0];
  return { kind: "document", readings: tests.flatMap((test: unknown, index) => readTest(test, { index, named, context })) };
}

/** A variable with a list of texts is as many tests. */
function readTest(
  test: unknown,
  { index, named, context }: { readonly index: number; readonly named: string | undefined; readonly context: AttackImportContext },
): readonly AttackReading[] {
  const at = `tests[${index}]`;
  const sent = sentBy(test, context.variable ?? textsOf(memberOf(test, "provider", "config", "injectVar"))[0] ?? named);
  if (sent.length === 0)
    return [{ kind: "unreadable", at, reason: "It is not clear which of its variables is sent. Name it with --variable." }];
  const asserted: unknown = memberOf(test, "assert");
  const assertions: readonly unknown[] = Array.isArray(asserted) ? asserted : [];
  const success = assertions.flatMap((one) => marksOf(one, /^not-/));
  const expected = assertions.flatMap((one) => marksOf(one, /^(?!not-)/));
  const name = textsOf([memberOf(test, "description"), memberOf(test, "metadata", "pluginId"), "promptfoo"])[0] ?? "promptfoo";
  const isJudgedByTool = assertions.length === 0 || assertions.some((one) => marksOf(one, /^/).length === 0);
  return sent.map((turn): AttackReading => {
    if (turn.includes("{{") || turn.includes("{%"))
      return { kind: "unreadable", at, reason: "Its text is a template with variables of promptfoo." };
    if (isElsewhere(turn)) return { kind: "unreadable", at, reason: "Its text is in another file or is made by a program." };
    if (success.length === 0 && expected.length > 0 && !isJudgedByTool) return readHarmlessDraft(at, { name, turns: [turn], expected });
    return readAttackDraft(at, { name, turns: [turn], success }, context);
  });
}

function sentBy(test: unknown, variable: string | undefined): readonly string[] {
  const vars: unknown = memberOf(test, "vars");
  if (typeof vars !== "object" || vars === null) return [];
  if (variable !== undefined) return textsOf(memberOf(vars, variable));
  const prompts = textsOf(memberOf(vars, "prompt"));
  const texts = Object.values(vars).filter((value) => textsOf(value).length > 0);
  return prompts.length === 0 && texts.length === 1 ? textsOf(texts[0]) : prompts;
}

/** promptfoo reads such a value from a file, or has a program make it. */
function isElsewhere(text: string): boolean {
  return /^(?:file|package):\/\/\S+$/.test(text.trim());
}

/**
 * The marks of an assertion whose type begins so; none for those that only promptfoo can judge. The marks of an attack are there when one of them is, those of a
 * harmless request when all are, so that several texts have no marks where promptfoo means it the other way round.
 */
function marksOf(assertion: unknown, begin: RegExp): readonly WrittenMark[] {
  const type = textsOf(memberOf(assertion, "type"))[0] ?? "";
  if (!begin.test(type)) return [];
  const value: unknown = memberOf(assertion, "value");
  // A text for several of them is a list with commas.
  const listed: unknown = typeof value === "string" && /-(?:any|all)$/.test(type) ? value.split(",").map((one) => one.trim()) : value;
  const values = (Array.isArray(listed) ? listed : [listed]).flatMap((one: unknown) =>
    typeof one === "number" ? [String(one)] : textsOf(one),
  );
  // What promptfoo fills in or reads elsewhere is not the text that is looked for.
  if (values.some((one) => one.includes("{{") || isElsewhere(one))) return [];
  const isForbidden = type.startsWith("not-");
  switch (type.replace(/^not-/, "")) {
    case "contains":
    case "icontains":
      return values.map((contains) => ({ contains }));
    case "contains-any":
    case "icontains-any":
      return isForbidden || values.length === 1 ? values.map((contains) => ({ contains })) : [];
    case "contains-all":
    case "icontains-all":
      return !isForbidden || values.length === 1 ? values.map((contains) => ({ contains })) : [];
    case "regex":
      return values.map((regex) => ({ regex }));
    default:
      return [];
  }
}
