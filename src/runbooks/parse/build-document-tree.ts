import type { BlockContent, DefinitionContent, List, ListItem, Nodes, PhrasingContent, Root, RootContent } from "mdast";
import { type Block, type DocumentTree, type Inline, linkPattern } from "../../../packages/sdk/src/wire/document-tree.ts";
import { escapeHidden } from "../../core/clean-text.ts";
import { sha256 } from "../../core/json.ts";
import { outlineOf } from "./document.ts";
import { createLocator } from "./locate.ts";
import { descendants, parseMarkdown, plainText, spanOf } from "./markdown.ts";
import { findMarkdownCost } from "./markdown-cost.ts";
import { maxDocumentBytes } from "./parse-runbook.ts";
import { collectSteps } from "./procedure.ts";
import type { RawStep } from "./read-bullet.ts";
import { createReporter } from "./reporter.ts";

/** Longest address of a link. A reference repeats its address each time, so that longer ones would make a tree far larger than its source. */
const maxHrefLength = 1000;
/** Longest id of a heading. */
const maxIdLength = 100;
/** Emphasis and links inside each other; a page that draws the tree is recursive. */
const maxInlineDepth = 20;

/**
 * The document as a tree of a closed set of nodes, read by the parser that the engine uses: a step node has the id and the number of the step that
 * runs. Faults of the document cost nothing but their own node. A text that is too large or too costly to parse becomes one raw node, cut at the
 * largest size of a document. Characters that a reader's eye does not see are written out as `\uXXXX`.
 */
export function buildDocumentTree(id: string, source: string): DocumentTree {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const head = { runbook: id, sha256: sha256(source) };
  if (Buffer.byteLength(text) > maxDocumentBytes || findMarkdownCost(text) !== undefined) {
    return { ...head, title: id, children: [{ type: "raw", text: escapeHidden(text.slice(0, maxDocumentBytes)) }] };
  }
  const root = parseMarkdown(text);
  const reporter = createReporter(`${id}.md`, createLocator(text));
  const outline = outlineOf(text, root, reporter);
  const steps = collectSteps({ text, sections: outline.sections, lines: new Set() }, reporter);
  const children = toBlocks(root.children.slice(root.children[0]?.type === "yaml" ? 1 : 0), contextOf(text, { root, steps }));
  return { ...head, title: escapeHidden(outline.title ?? id), children };
}

type Content = RootContent | BlockContent | DefinitionContent;

/** What nodes are built with. */
interface TreeContext {
  readonly text: string;
  readonly steps: ReadonlyMap<Nodes, RawStep>;
  /** Addresses by the name that references use. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly title: Nodes | undefined;
  readonly headingId: (heading: string) => string;
}

function contextOf(text: string, { root, steps }: { readonly root: Root; readonly steps: readonly RawStep[] }): TreeContext {
  const definitions = [...descendants(root)].flatMap((node) => (node.type === "definition" ? [node] : []));
  return {
    text,
    steps: new Map(steps.map((step) => [step.item, step])),
    // The first definition of a name counts, as in CommonMark.
    addresses: new Map(definitions.map((node) => [node.identifier, node.url] as const).toReversed()),
    title: root.children.find((child) => child.type === "heading" && child.depth === 1),
    // A page calls its steps so; no heading may take the place of one.
    headingId: createHeadingIds(steps.map(({ number }) => `step-${number}`)),
  };
}

/** Ids as GitHub writes them, so that links inside a document work here too; each once, and none of those that are taken. */
function createHeadingIds(taken: readonly string[]): (heading: string) => string {
  const ids = new Set(taken);
  const counts = new Map<string, number>();
  return (heading) => {
    const slug = heading
      .trim()
      .toLowerCase()
      .slice(0, maxIdLength)
      .replaceAll(/[^\p{L}\p{M}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    const base = slug === "" ? "section" : slug;
    let count = counts.get(base) ?? 0;
    let id = count === 0 ? base : `${base}-${count}`;
    while (ids.has(id)) {
      count += 1;
      id = `${base}-${count}`;
    }
    counts.set(base, count);
    ids.add(id);
    return id;
  };
}

function toBlocks(nodes: readonly Content[], context: TreeContext): Block[] {
  return nodes.flatMap((node) => toBlock(node, context));
}

function toBlock(node: Content, context: TreeContext): readonly Block[] {
  switch (node.type) {
    case "heading":
      if (node === context.title) return [];
      return [{ type: "heading", level: node.depth, id: context.headingId(plainText(node)), children: toInlines(node.children, context) }];
    case "paragraph":
      return [{ type: "paragraph", children: toInlines(node.children, context) }];
    case "blockquote":
      return [{ type: "quote", children: toBlocks(node.children, context) }];
    case "thematicBreak":
      return [{ type: "rule" }];
    case "code":
      return [{ type: "code", ...(node.lang ? { language: escapeHidden(node.lang) } : {}), text: escapeHidden(node.value) }];
    case "list":
      return toList(node, context);
    case "table": {
      const [header = [], ...rows] = node.children.map((row) => row.children.map((cell) => toInlines(cell.children, context)));
      return [{ type: "table", header, rows }];
    }
    case "definition":
      // Its address is shown where it is used.
      return [];
    case "break":
    case "delete":
    case "emphasis":
    case "footnoteDefinition":
    case "footnoteReference":
    case "html":
    case "image":
    case "imageReference":
    case "inlineCode":
    case "link":
    case "linkReference":
    case "listItem":
    case "strong":
    case "tableCell":
    case "tableRow":
    case "text":
    case "yaml":
      return [toRaw(node, context)];
  }
}

/** Items that the engine runs become steps; an item between them keeps its number. */
function toList(list: List, context: TreeContext): readonly Block[] {
  const ordered = list.ordered === true;
  const blocks: Block[] = [];
  let others: Block[][] = [];
  const closeList = (end: number) => {
    const start = ordered ? (list.start ?? 1) + end - others.length : 1;
    if (others.length > 0) blocks.push({ type: "list", ordered, ...(start !== 1 && { start }), items: others });
    others = [];
  };
  for (const [index, item] of list.children.entries()) {
    const step = context.steps.get(item);
    if (step === undefined) {
      others.push(toItem(item, context));
      continue;
    }
    closeList(index);
    const { id, number, name } = step;
    blocks.push({ type: "step", id, number, name: escapeHidden(name), children: behindName(item, context) });
  }
  closeList(list.children.length);
  return blocks;
}

function toItem(item: ListItem, context: TreeContext): Block[] {
  const blocks = toBlocks(item.children, context);
  if (typeof item.checked !== "boolean") return blocks;
  const box: Inline = { type: "text", text: item.checked ? "[x] " : "[ ] " };
  const [first, ...others] = blocks;
  if (first?.type === "paragraph") return [{ type: "paragraph", children: [box, ...first.children] }, ...others];
  return [{ type: "paragraph", children: [box] }, ...blocks];
}

/** The blocks of a step without the name in bold that it begins with, and without the colon behind that. */
function behindName(item: ListItem, context: TreeContext): Block[] {
  const [first, ...others] = item.children;
  if (first?.type !== "paragraph") return toBlocks(item.children, context);
  const [, next, ...following] = toInlines(first.children, context);
  const trimmed = next?.type === "text" ? { ...next, text: next.text.replace(/^\s*:?\s*/u, "") } : next;
  const begins = trimmed === undefined || (trimmed.type === "text" && trimmed.text === "") ? [] : [trimmed];
  const children = [...begins, ...following];
  return [...(children.length > 0 ? [{ type: "paragraph" as const, children }] : []), ...toBlocks(others, context)];
}

function toInlines(nodes: readonly PhrasingContent[], context: TreeContext, depth = 0): Inline[] {
  return nodes.map((node) => toInline(node, context, depth));
}

function toInline(node: PhrasingContent, context: TreeContext, depth: number): Inline {
  if (depth > maxInlineDepth) return toRaw(node, context);
  switch (node.type) {
    case "text":
      return { type: "text", text: escapeHidden(node.value) };
    case "strong":
    case "emphasis":
      return { type: node.type, children: toInlines(node.children, context, depth + 1) };
    case "inlineCode":
      return { type: "code", text: escapeHidden(node.value) };
    case "break":
      return { type: "break" };
    case "link":
    case "linkReference": {
      const href = hrefOf(node.type === "link" ? node.url : context.addresses.get(node.identifier));
      return href === undefined ? toRaw(node, context) : { type: "link", href, children: toInlines(node.children, context, depth + 1) };
    }
    case "image":
    case "imageReference": {
      const href = hrefOf(node.type === "image" ? node.url : context.addresses.get(node.identifier));
      return href === undefined ? toRaw(node, context) : { type: "image", href, text: escapeHidden(node.alt || href) };
    }
    case "delete":
    case "footnoteReference":
    case "html":
      return toRaw(node, context);
  }
}

function toRaw(node: Nodes, { text }: TreeContext): { readonly type: "raw"; readonly text: string } {
  const { start, end } = spanOf(node);
  return { type: "raw", text: escapeHidden(text.slice(start, end)) };
}

/** The address as a page may follow it; undefined: it may not. */
function hrefOf(url: string | undefined): string | undefined {
  if (url === undefined || url.length > maxHrefLength) return undefined;
  const other = /^(?:\.\/)?(?<id>[a-z0-9][a-z0-9-]{0,79})\.md(?<fragment>#[\w-]+)?$/u.exec(url)?.groups;
  if (other !== undefined) return `/runbooks/${other["id"] ?? ""}${other["fragment"] ?? ""}`;
  if (/^#[\p{L}\p{M}\p{N}_-]+$/u.test(url)) return url;
  if (!/^https?:\/\//iu.test(url) || !URL.canParse(url)) return undefined;
  const { href, username, password } = new URL(url);
  // A name before the host is how an address pretends to be another one.
  return username === "" && password === "" && linkPattern.test(href) && href.length <= maxHrefLength ? href : undefined;
}
