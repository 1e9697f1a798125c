import { parseDocument } from "yaml";
import { corpusSchema } from "../attack-corpus-schema.ts";
import { parseAttackCorpus } from "../parse-attack-corpus.ts";
import { type AttackDocument, type AttackImportContext, type AttackReading, memberOf, readAttackDraft } from "./attack-reading.ts";
import { readGarak } from "./read-garak.ts";
import { readPromptfoo } from "./read-promptfoo.ts";
import { readPyrit } from "./read-pyrit.ts";

/** Forms in which attacks are recorded elsewhere; `corpus` is our own, `text` one attack of one turn. */
export const attackFormats = ["promptfoo", "garak", "pyrit", "corpus", "text"] as const;

/** See {@link attackFormats}. */
export type AttackFormat = (typeof attackFormats)[number];

/** Aliases of a document, counted with what they repeat: tests that promptfoo generates share their settings by aliases. */
const maxAliasCount = 10_000;

/** A file with attacks. */
export interface AttackFile {
  /** Its name, without its folder. */
  readonly name: string;
  readonly text: string;
  /** Absent: the form that it looks like. */
  readonly format?: AttackFormat;
}

/** Reads a file with attacks. Pure, and throws for no file. */
export function readAttacksDocument(file: AttackFile, context: AttackImportContext): AttackDocument {
  const { name, text } = file;
  if (file.format === "text") {
    const attack = readAttackDraft("the file", { name: name.replace(/\.[^.]*$/, ""), turns: [text.trimEnd()], success: [] }, context);
    return { kind: "document", readings: [attack] };
  }
  if (file.format === "garak" || (file.format === undefined && name.endsWith(".jsonl"))) return readGarak(text, context);
  const document = parseYaml(text);
  if (document === undefined) return { kind: "refused", reason: "The file is neither YAML nor JSON." };
  const format = file.format ?? formatOf(document);
  if (format === "promptfoo") return readPromptfoo(document, context);
  if (format === "pyrit") return readPyrit(document, context);
  if (format === "corpus") return readCorpus(file, document);
  return {
    kind: "refused",
    reason:
      "The file is none of promptfoo (`tests`), PyRIT (`seeds` or `prompts`), garak (`*.hitlog.jsonl`) and runbookd's own form (`attacks`). Name its format if it is one.",
  };
}

function formatOf(document: unknown): AttackFormat | undefined {
  if (Array.isArray(memberOf(document, "attacks"))) return "corpus";
  if (Array.isArray(document) || Array.isArray(memberOf(document, "tests"))) return "promptfoo";
  if (Array.isArray(memberOf(document, "seeds")) || Array.isArray(memberOf(document, "prompts"))) return "pyrit";
  return undefined;
}

/** JSON is YAML. Undefined: it is neither, or repeats itself too often. */
function parseYaml(text: string): unknown {
  try {
    const document = parseDocument(text, { schema: "core", merge: true, logLevel: "silent", prettyErrors: false });
    return document.errors.length > 0 ? undefined : (document.toJS({ maxAliasCount }) as unknown);
  } catch {
    return undefined;
  }
}

/** All of a corpus or nothing: what is in it was written by hand, so that a fault is to be mended there. */
function readCorpus({ name, text }: AttackFile, document: unknown): AttackDocument {
  const { diagnostics } = parseAttackCorpus({ feature: "imported", file: name, source: text });
  const [first] = diagnostics;
  if (first !== undefined)
    return { kind: "refused", reason: `${first.position.line}:${first.position.column}: ${first.message} Accepted: ${first.accepted}.` };
  const { attacks, harmless } = corpusSchema.parse(document);
  const readings: readonly AttackReading[] = [
    ...attacks.map((entry, index) => ({ kind: "attack", at: `attacks[${index}]`, entry: withoutDefaults(entry) }) as const),
    ...harmless.map((entry, index) => ({ kind: "harmless", at: `harmless[${index}]`, entry }) as const),
  ];
  return { kind: "document", readings };
}

function withoutDefaults<Entry extends { readonly owasp: string[]; readonly variants: string[][] }>({ owasp, variants, ...entry }: Entry) {
  return { ...entry, ...(owasp.length > 0 && { owasp }), ...(variants.length > 0 && { variants }) };
}
