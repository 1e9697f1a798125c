import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  type Pair,
  parseAllDocuments,
} from "yaml";

/** YAML documents with everything in place that an alias or a merge key stands for. */
export interface GoYaml {
  readonly documents: readonly Document[];
  readonly faults: readonly YamlFault[];
}

/** What cannot be read, and where. */
export interface YamlFault {
  readonly offset: number;
  readonly message: string;
}

/** Most values that all aliases of a file stand for. */
const maxAliased = 100_000;

/**
 * Reads YAML as the programs of Prometheus do: aliases and merge keys stand for what they name, and `yes`, `on` and the like are true.
 * Values that aliases share are shared in the documents too, so that no file grows beyond its size.
 */
export function readGoYaml(source: string, lineCounter: LineCounter): GoYaml {
  const parsed = parseAllDocuments(source, { lineCounter, schema: "yaml-1.1", prettyErrors: false, logLevel: "silent" });
  const documents: readonly Document[] = "empty" in parsed ? [] : parsed;
  const faults = documents.flatMap((document) => [...syntaxFaults(document), ...putAliasesInPlace(document)]);
  return { documents, faults };
}

/** Each place once, and nesting once: the parser repeats itself there. */
function syntaxFaults({ errors }: Document): readonly YamlFault[] {
  const faults = new Map<number | "nesting", YamlFault>();
  for (const { pos, message } of errors) {
    const offset = pos[0];
    const isNesting = /call stack/u.test(message);
    const key = isNesting ? "nesting" : offset;
    if (!faults.has(key)) faults.set(key, { offset, message: isNesting ? "The values are nested too deeply." : message });
  }
  return [...faults.values()];
}

/** A scalar as a field of text holds it: what is no text stays as it is written, such as `007`, `1.10` or `yes`. Undefined for null and what is no scalar. */
export function textOf(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === "string" ? node.value : node.source;
}

interface Settled {
  readonly node: unknown;
  /** Of the values in it, those behind aliases included. */
  readonly size: number;
}

function putAliasesInPlace(document: Document): readonly YamlFault[] {
  const anchors = new Map<string, Settled>();
  const faults: YamlFault[] = [];
  let aliased = 0;
  const settle = (node: unknown): Settled => {
    if (isAlias(node)) {
      // An anchor is there from the end of its value on, so that no value holds itself.
      const target = anchors.get(node.source);
      aliased += target?.size ?? 0;
      const fault = target === undefined ? `\`*${node.source}\` names no value before it.` : "The aliases stand for too many values.";
      if (target !== undefined && aliased <= maxAliased) return target;
      if (faults.length < 10) faults.push({ offset: node.range?.[0] ?? 0, message: fault });
      return { node, size: 1 };
    }
    const settled: Settled = { node, size: 1 + (isCollection(node) ? settleItems(node.items) : 0) };
    if (isMap(node)) node.items = withMerged(node.items);
    if (isNode(node) && "anchor" in node && typeof node.anchor === "string") anchors.set(node.anchor, settled);
    return settled;
  };
  const settleItems = (items: unknown[]): number => {
    let size = 0;
    for (const [index, item] of items.entries()) {
      const settled = settle(isPair(item) ? item.value : item);
      size += settled.size;
      if (isPair(item)) {
        settle(item.key);
        item.value = settled.node;
      } else items[index] = settled.node;
    }
    return size;
  };
  settle(document.contents);
  return faults;
}

/** The pairs of a map and behind them those of its merge keys whose keys are not there yet. */
function withMerged(items: readonly Pair[]): Pair[] {
  const pairs = items.filter((pair) => !isMerge(pair));
  if (pairs.length === items.length) return pairs;
  const keys = new Set(pairs.map(({ key }) => textOf(key)));
  for (const { value } of items.filter(isMerge))
    for (const map of isSeq(value) ? value.items : [value])
      for (const pair of isMap(map) ? map.items : []) {
        if (keys.has(textOf(pair.key))) continue;
        keys.add(textOf(pair.key));
        pairs.push(pair);
      }
  return pairs;
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.source === "<<";
}
