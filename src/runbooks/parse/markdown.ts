import type { Code, Heading, ListItem, Nodes, Paragraph, PhrasingContent, Root, RootContent, Yaml } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { frontmatterFromMarkdown } from "mdast-util-frontmatter";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { toString } from "mdast-util-to-string";
import { frontmatter } from "micromark-extension-frontmatter";
import { gfm } from "micromark-extension-gfm";

/** GitHub flavoured Markdown with a YAML front matter. */
export function parseMarkdown(text: string): Root {
  return fromMarkdown(text, {
    extensions: [gfm(), frontmatter(["yaml"])],
    mdastExtensions: [gfmFromMarkdown(), frontmatterFromMarkdown(["yaml"])],
  });
}

/** Where a node begins and ends in the text. */
export function spanOf(node: Nodes): { readonly start: number; readonly end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}

/** The text of a node without its marks. */
export function plainText(node: Nodes | readonly Nodes[]): string {
  return toString(node);
}

/** Every node below, in document order. */
export function* descendants(node: Nodes): Generator<Nodes> {
  if (!("children" in node)) return;
  for (const child of node.children) {
    yield child;
    yield* descendants(child);
  }
}

/** The text of a code block or front matter together with the offset of each of its characters in the document. */
export interface CodeText {
  readonly text: string;
  readonly toOffset: (offset: number) => number;
}

/** See {@link CodeText}. Indentation that Markdown takes away is counted. */
export function codeText(text: string, node: Code | Yaml): CodeText {
  const { start } = spanOf(node);
  const sourceLines = [...text.slice(start).matchAll(/[^\r\n]*(?:\r\n|\n|\r|$)/gu)];
  const lines = [...node.value.matchAll(/[^\r\n]*(?:\r\n|\n|\r|$)/gu)];
  return {
    text: node.value,
    toOffset: (offset) => {
      let index = lines.findIndex((line) => offset < line.index + line[0].length);
      if (index === -1) index = Math.max(0, node.value.split(/\r\n|\n|\r/u).length - 1);
      const line = lines[index];
      const source = sourceLines[index + 1];
      if (line === undefined || source === undefined) return start;
      const indent = Math.max(0, bare(source[0]).length - bare(line[0]).length);
      return start + source.index + indent + (offset - line.index);
    },
  };
}

function bare(line: string): string {
  return line.replace(/[\r\n]+$/u, "");
}

/** Whether a code block is a fence, and whether that fence is closed. */
export function fenceOf(text: string, node: Code): "indented" | "closed" | "open" {
  const { start, end } = spanOf(node);
  const opening = /^(`{3,}|~{3,})/u.exec(text.slice(start, end))?.[1];
  if (opening === undefined) return "indented";
  const lines = text.slice(start, end).split(/\r\n|\n|\r/u);
  const last = (lines.at(-1) ?? "").replace(/^[\s>]*/u, "").trimEnd();
  return lines.length > 1 && last.startsWith(opening) && /^(`+|~+)$/u.test(last) ? "closed" : "open";
}

export type { Code, Heading, ListItem, Nodes, Paragraph, PhrasingContent, Root, RootContent };
