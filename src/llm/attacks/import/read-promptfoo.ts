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
  return { kind: "document", readings: tests.map((test: unknown, index) => readTest(test, { index, named, context })) };
}

function readTest(
  test: unknown,
  { index, named, context }: { readonly index: number; readonly named: string | undefined; readonly context: AttackImportContext },
): AttackReading {
  const at = `tests[${index}]`;
  const sent = sentBy(test, context.variable ?? textsOf(memberOf(test, "provider", "config", "injectVar"))[0] ?? named);
  if (sent === undefined)
    return { kind: "unreadable", at, reason: "It is not clear which of its variables is sent. Name it with --variable." };
  if (sent.includes("{{")) return { kind: "unreadable", at, reason: "Its text is a template with variables of promptfoo." };
  const asserted: unknown = memberOf(test, "assert");
  const assertions: readonly unknown[] = Array.isArray(asserted) ? asserted : [];
  const success = assertions.flatMap((one) => marksOf(one, /^not-/));
  const expected = assertions.flatMap((one) => marksOf(one, /^(?!not-)/));
  const name = textsOf([memberOf(test, "description"), memberOf(test, "metadata", "pluginId"), "promptfoo"])[0] ?? "promptfoo";
  const isJudgedByTool = assertions.length === 0 || assertions.some((one) => marksOf(one, /^/).length === 0);
  if (success.length === 0 && expected.length > 0 && !isJudgedByTool) return readHarmlessDraft(at, { name, turns: [sent], expected });
  return readAttackDraft(at, { name, turns: [sent], success }, context);
}

function sentBy(test: unknown, variable: string | undefined): string | undefined {
  const vars: unknown = memberOf(test, "vars");
  if (typeof vars !== "object" || vars === null) return undefined;
  if (variable !== undefined) return textsOf(memberOf(vars, variable))[0];
  const texts = Object.values(vars).filter((value): value is string => typeof value === "string");
  return textsOf(memberOf(vars, "prompt"))[0] ?? (texts.length === 1 ? texts[0] : undefined);
}

/** The marks of an assertion whose type begins so; none for those that only promptfoo can judge. */
function marksOf(assertion: unknown, begin: RegExp): readonly WrittenMark[] {
  const type = textsOf(memberOf(assertion, "type"))[0] ?? "";
  if (!begin.test(type)) return [];
  const values = textsOf(memberOf(assertion, "value"));
  switch (type.replace(/^not-/, "")) {
    case "contains":
    case "icontains":
    case "contains-any":
    case "icontains-any":
    case "contains-all":
    case "icontains-all":
      return values.map((contains) => ({ contains }));
    case "regex":
      return values.map((regex) => ({ regex }));
    default:
      return [];
  }
}
