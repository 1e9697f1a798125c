import type { Diagnostic } from "../../../packages/sdk/src/wire/runbooks.ts";
import { sha256 } from "../../core/json.ts";
import { type LinearPattern, readPattern } from "../../core/linear-pattern.ts";
import { createLocator } from "../../runbooks/parse/locate.ts";
import { createReporter, nearest, oneOf } from "../../runbooks/parse/reporter.ts";
import { parseYamlBlock } from "../../runbooks/parse/yaml-block.ts";
import type { AttackCorpus, Mark } from "./attack.ts";
import { corpusLimits, corpusSchema, type WrittenMark } from "./attack-corpus-schema.ts";

/** The corpus is there exactly when there is no diagnostic. */
export interface CorpusParse {
  readonly corpus?: AttackCorpus;
  readonly diagnostics: readonly Diagnostic[];
}

/** A file with a corpus, and the feature that it is named after. */
export interface CorpusFile {
  readonly feature: string;
  readonly file: string;
  readonly source: string;
}

type Path = readonly (string | number)[];

/** Reads one file of the corpus; every fault is reported at once, with its place. Regular expressions are those of RE2, which need linear time. */
export function parseAttackCorpus({ feature, file, source }: CorpusFile): CorpusParse {
  const reporter = createReporter(file, createLocator(source));
  const block = parseYamlBlock(source, (offset) => offset, reporter);
  if (block === undefined) return { diagnostics: reporter.diagnostics };
  const report = (path: Path, message: string, accepted: string) =>
    reporter.error({ rule: "attack-corpus", at: block.offsetOf(path), message, accepted });
  const parsed = corpusSchema.safeParse(block.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
      if (issue.code !== "unrecognized_keys") report(path, `\`${path.join(".") || "the file"}\` cannot be read.`, issue.message);
      else
        for (const key of issue.keys) {
          const suggestion = nearest(key, acceptedKeys);
          const accepted = suggestion === undefined ? `${oneOf(acceptedKeys)}; see docs/attacks.md` : `\`${suggestion}\``;
          reporter.error({ rule: "attack-corpus", at: block.keyOffsetOf([...path, key]), message: `\`${key}\` is no key here.`, accepted });
        }
    }
    return { diagnostics: reporter.diagnostics };
  }
  const readPatternAt = (path: Path, written: string): LinearPattern | undefined => {
    const reading = readPattern(written, "part");
    if (!reading.ok) {
      report(path, `The regular expression ${reading.fault}.`, "a regular expression of RE2, without references and look-around");
      return undefined;
    }
    if (reading.pattern.instructions > corpusLimits.patternInstructions) {
      report(
        path,
        `The regular expression has ${reading.pattern.instructions} instructions.`,
        `at most ${corpusLimits.patternInstructions}`,
      );
      return undefined;
    }
    if (reading.pattern.test("") === true) {
      report(path, "The regular expression matches the empty text, and so every answer.", "one that an ordinary answer does not match");
      return undefined;
    }
    return reading.pattern;
  };
  const marksAt = (path: Path, marks: readonly WrittenMark[]): readonly Mark[] =>
    marks.flatMap((mark, index): readonly Mark[] => {
      const at = [...path, index];
      if ("contains" in mark) return [{ kind: "contains", text: mark.contains }];
      if ("honeytoken" in mark) return [{ kind: "honeytoken" }];
      if ("regex" in mark) {
        const pattern = readPatternAt([...at, "regex"], mark.regex);
        return pattern === undefined ? [] : [{ kind: "regex", pattern }];
      }
      const pattern = mark.arguments === undefined ? undefined : readPatternAt([...at, "arguments"], mark.arguments);
      return [{ kind: "tool_called", tool: mark.tool_called, ...(pattern !== undefined && { arguments: pattern }) }];
    });
  const { attacks, harmless } = parsed.data;
  for (const [list, items] of Object.entries({ attacks, harmless }))
    for (const [index, { id }] of items.entries())
      if (items.findIndex((one) => one.id === id) < index)
        report([list, index, "id"], `The id \`${id}\` is there twice.`, "a different id for each");
  const corpus: AttackCorpus = {
    feature,
    attacks: attacks.map(({ id, owasp, turns, variants, success }, index) => ({
      id,
      owasp,
      variants: [turns, ...variants],
      success: marksAt(["attacks", index, "success"], success),
    })),
    harmless: harmless.map(({ id, turns, expected }, index) => ({
      id,
      turns,
      expected: marksAt(["harmless", index, "expected"], expected),
    })),
    sha256: sha256(source),
  };
  return reporter.diagnostics.length === 0 ? { corpus, diagnostics: [] } : { diagnostics: reporter.diagnostics };
}

const acceptedKeys = ["attacks", "harmless", "id", "owasp", "turns", "variants", "success", "expected"];
