import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { canonicalJson } from "../../../../packages/sdk/src/wire/json.ts";
import { corpusLimits } from "../attack-corpus-schema.ts";
import { parseAttackCorpus } from "../parse-attack-corpus.ts";
import { type AttackReading, memberOf, type WrittenAttack, type WrittenHarmless } from "./attack-reading.ts";

/** A corpus with new entries, and how many were there before; or why it cannot be written. */
export type GrownCorpus =
  | { readonly ok: true; readonly source: string; readonly added: readonly string[]; readonly present: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** The corpus that is to grow; `source` is empty where there is none yet. */
export interface GrowingCorpus {
  readonly file: string;
  readonly source: string;
}

type Entry = Extract<AttackReading, { readonly kind: "attack" | "harmless" }>;

/**
 * Adds attacks and harmless requests to the text of a corpus, whose comments and order stay. An entry whose turns are there already is not added. What comes
 * out is a corpus that can be read, or nothing.
 */
export function addToCorpus({ file, source }: GrowingCorpus, entries: readonly Entry[]): GrownCorpus {
  const document = parseDocument(source === "" ? "attacks: []\n" : source, { schema: "core", prettyErrors: false, logLevel: "silent" });
  const before = dataOf(document);
  if (before === undefined) return { ok: false, reason: `${file} cannot be read as plain YAML; correct it first.` };
  const turns = new Set(["attacks", "harmless"].flatMap((list) => turnsIn(memberOf(before, list))));
  const ids = new Set(["attacks", "harmless"].flatMap((list) => idsIn(memberOf(before, list))));
  const [added, present]: [string[], string[]] = [[], []];
  for (const { kind, entry } of entries) {
    const key = canonicalJson(entry.turns);
    if (turns.has(key)) {
      present.push(entry.id);
      continue;
    }
    const list = kind === "attack" ? "attacks" : "harmless";
    const named = { ...entry, id: freeId(entry, ids) };
    if (!document.has(list)) document.set(list, document.createNode([]));
    const sequence = document.get(list);
    if (!isSeq(sequence)) return { ok: false, reason: `\`${list}\` of ${file} is not a list; correct it first.` };
    if (sequence.items.length >= corpusLimits[list])
      return { ok: false, reason: `\`${list}\` of ${file} would have more than ${corpusLimits[list]} entries. Import fewer.` };
    sequence.flow = false;
    sequence.add(document.createNode(named));
    turns.add(key);
    ids.add(named.id);
    added.push(named.id);
  }
  if (added.length === 0) return { ok: true, source, added, present };
  const grown = document.toString({ lineWidth: 0 });
  if (Buffer.byteLength(grown) > corpusLimits.fileBytes)
    return {
      ok: false,
      reason: `${file} would have ${Buffer.byteLength(grown)} bytes, and at most ${corpusLimits.fileBytes} are read. Import fewer attacks.`,
    };
  const [fault] = parseAttackCorpus({ feature: "corpus", file, source: grown }).diagnostics;
  return fault === undefined
    ? { ok: true, source: grown, added, present }
    : { ok: false, reason: `${file}:${fault.position.line}:${fault.position.column}: ${fault.message} Accepted: ${fault.accepted}.` };
}

/** Undefined: it has faults or aliases, which a corpus may not have. */
function dataOf(document: Document.Parsed): unknown {
  try {
    return document.errors.length > 0 || !isMap(document.contents) ? undefined : document.toJS({ maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

function freeId({ id }: WrittenAttack | WrittenHarmless, ids: ReadonlySet<string>): string {
  let candidate = id;
  for (let number = 2; ids.has(candidate); number += 1) candidate = `${id.slice(0, 95)}-${number}`;
  return candidate;
}

function turnsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map((one: unknown) => canonicalJson(memberOf(one, "turns"))) : [];
}

function idsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map((one: unknown) => String(memberOf(one, "id"))) : [];
}
