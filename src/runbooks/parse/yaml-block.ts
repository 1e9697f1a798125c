import { isAlias, isMap, isNode, isScalar, isSeq, type Node, parseDocument, visit } from "yaml";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Reporter } from "./reporter.ts";

/** YAML of a front matter or a fence, as data, with the place of everything in it. */
export interface YamlBlock {
  readonly value: Json;
  /** Offset in the document of the value at this path, or of the nearest that is there. */
  offsetOf(path: readonly (string | number)[]): number;
  /** Where the value at this path begins and ends in the document. */
  rangeOf(path: readonly (string | number)[]): { readonly start: number; readonly end: number };
  /** Offset of a key of a map. */
  keyOffsetOf(path: readonly (string | number)[]): number;
  /** Offset of a place inside a text value, when that text is written on one line without escapes; else where the value begins. */
  insideOffsetOf(path: readonly (string | number)[], inside: number, expected: string): number;
}

/**
 * Reads plain YAML 1.2: no tags, anchors, aliases or merge keys, no repeated keys, text keys only.
 * `toOffset` maps an offset of the text to one of the document. Undefined when an error was reported.
 */
export function parseYamlBlock(text: string, toOffset: (offset: number) => number, reporter: Reporter): YamlBlock | undefined {
  const document = parseDocument(text, {
    schema: "core",
    merge: false,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "silent",
    stringKeys: false,
  });
  let faults = 0;
  const fail = (offset: number, message: string, accepted: string) => {
    faults += 1;
    reporter.error({ rule: "yaml", at: toOffset(offset), message, accepted });
  };
  for (const error of document.errors) {
    const unquoted = /\$\{\{/u.test(lineAt(text, error.pos[0]));
    const accepted = unquoted
      ? "quote a value that holds `${{ }}` together with `: `, `#`, quotes or brackets"
      : "plain YAML 1.2 with each key once";
    fail(error.pos[0], sentence(error.message), accepted);
  }
  if (faults > 0) return undefined;
  if (/^%/mu.test(text)) fail(text.search(/^%/mu), "A YAML directive is not accepted.", "plain YAML without `%` lines");
  visit(document, {
    Node: (_, node) => {
      const at = node.range?.[0] ?? 0;
      if (isAlias(node)) fail(at, "A YAML alias (`*name`) is not accepted.", "the value written out");
      else if (node.anchor !== undefined) fail(at, "A YAML anchor (`&name`) is not accepted.", "the value without an anchor");
      if (!isAlias(node) && node.tag !== undefined && !(isMap(node) || isSeq(node) || isScalar(node) ? isCoreTag(text, node) : false)) {
        fail(at, `The YAML tag \`${node.tag}\` is not accepted.`, "plain values without tags");
      }
    },
    Pair: (_, pair) => {
      const { key } = pair;
      const at = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (!isScalar(key) || typeof key.value !== "string")
        fail(at, "A key is no text.", "text keys; quote one that looks like a number or boolean");
      else if (key.value === "<<" || key.value === "__proto__")
        fail(at, `The key \`${key.value}\` is not accepted.`, "another name; merge keys are not read");
    },
  });
  if (faults > 0) return undefined;
  const value: Json = plainData(document.contents);
  const nodeAt = (path: readonly (string | number)[]): Node | undefined => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range != null) return node;
    }
    return undefined;
  };
  const startOf = (path: readonly (string | number)[]) => nodeAt(path)?.range?.[0] ?? 0;
  return {
    value,
    offsetOf: (path) => toOffset(startOf(path)),
    rangeOf: (path) => {
      const [start, end] = nodeAt(path)?.range ?? [0, 0];
      const length = text.slice(start, end).trimEnd().length;
      // The lines of a value may be indented in the document, so its end is searched for separately.
      return { start: toOffset(start), end: length === 0 ? toOffset(start) : toOffset(start + length - 1) + 1 };
    },
    keyOffsetOf: (path) => {
      const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
      const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1)) : undefined;
      return toOffset(isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : startOf(path));
    },
    insideOffsetOf: (path, inside, expected) => {
      const start = startOf(path);
      for (const quote of [0, 1]) if (text.startsWith(expected, start + quote + inside)) return toOffset(start + quote + inside);
      return toOffset(start);
    },
  };
}

/** The data of a tree that holds neither aliases nor tags. */
function plainData(node: unknown): Json {
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map((pair): [string, Json] => [isScalar(pair.key) ? String(pair.key.value) : "", plainData(pair.value)]),
    );
  }
  if (isSeq(node)) return node.items.map((item) => plainData(item));
  if (!isScalar(node)) return null;
  const { value } = node;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

/** A tag that the reader assigned itself leaves no `!` in the text before the value. */
function isCoreTag(text: string, node: Node): boolean {
  const start = node.range?.[0] ?? 0;
  return !/!\S*\s*$/u.test(text.slice(0, start)) && text[start] !== "!";
}

function lineAt(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", Math.max(0, offset - 1)) + 1;
  const end = text.indexOf("\n", offset);
  return text.slice(start, end === -1 ? undefined : end);
}

function sentence(message: string): string {
  const first = message.split("\n")[0]?.trim() ?? message;
  return /[.!?]$/u.test(first) ? first : `${first}.`;
}
