import type { Nodes, PhrasingContent, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import { cleanText } from "../core/clean-text.ts";
import { findMarkdownCost } from "../runbooks/parse/markdown-cost.ts";
import { escapeHtml } from "./html-fragments.ts";

const code = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;background:#f0f2f5;border-radius:3px;padding:1px 4px";
const block =
  "margin:6px 0 0;padding:8px 10px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;background:#f0f2f5;border-radius:4px;white-space:pre-wrap;word-break:break-word";

/** A longer text is cut. */
const maxCharacters = 20_000;

/**
 * A document's Markdown as HTML: every text is escaped, raw HTML is shown as text, and only absolute http(s) links are links. What would take the parser
 * too long is shown as it is written: a run may have begun with a document that today's limits refuse.
 */
export function proseToHtml(markdown: string): string {
  const text = cleanText(markdown, maxCharacters);
  if (findMarkdownCost(text) !== undefined) return `<div style="${block}">${escapeHtml(text)}</div>`;
  return fromMarkdown(text).children.map(blockHtml).join("");
}

/** The same as plain text, each line behind `indent`. */
export function proseToText(markdown: string, indent = ""): string {
  const text = cleanText(markdown, maxCharacters);
  const lines = findMarkdownCost(text) === undefined ? fromMarkdown(text).children.flatMap((node) => blockText(node)) : text.split("\n");
  return lines.map((line) => `${indent}${line}`.trimEnd()).join("\n");
}

function blockHtml(node: RootContent): string {
  if (node.type === "paragraph") return `<p style="margin:6px 0 0">${inlineHtml(node.children)}</p>`;
  if (node.type === "heading") return `<p style="margin:10px 0 0;font-weight:600">${inlineHtml(node.children)}</p>`;
  if (node.type === "list") {
    const items = node.children.map((item) => `<li style="margin:3px 0">${item.children.map(itemHtml).join("")}</li>`).join("");
    return node.ordered === true
      ? `<ol style="margin:6px 0 0;padding-left:22px">${items}</ol>`
      : `<ul style="margin:6px 0 0;padding-left:20px">${items}</ul>`;
  }
  if (node.type === "code" || node.type === "html") return `<div style="${block}">${escapeHtml(node.value)}</div>`;
  if (node.type === "blockquote") {
    return `<div style="margin:6px 0 0;padding-left:10px;border-left:3px solid #d0d7de">${node.children.map(blockHtml).join("")}</div>`;
  }
  if (node.type === "thematicBreak") return "";
  return `<p style="margin:6px 0 0">${escapeHtml(toString(node))}</p>`;
}

/** A list item's only paragraph needs no space of its own. */
function itemHtml(node: RootContent): string {
  return node.type === "paragraph" ? inlineHtml(node.children) : blockHtml(node);
}

function inlineHtml(nodes: readonly PhrasingContent[]): string {
  return nodes.map(phraseHtml).join("");
}

function phraseHtml(node: PhrasingContent): string {
  if (node.type === "inlineCode") return `<code style="${code}">${escapeHtml(node.value)}</code>`;
  if (node.type === "strong") return `<strong>${inlineHtml(node.children)}</strong>`;
  if (node.type === "emphasis") return `<em>${inlineHtml(node.children)}</em>`;
  if (node.type === "break") return "<br>";
  if (node.type === "link") {
    const text = inlineHtml(node.children);
    return /^https?:\/\/[^\s"'<>\\]+$/i.test(node.url) ? `<a href="${escapeHtml(node.url)}" style="color:#1f5fae">${text}</a>` : text;
  }
  return escapeHtml("value" in node ? node.value : toString(node));
}

function blockText(node: Nodes): readonly string[] {
  if (node.type === "list") {
    return node.children.flatMap((item, index) => {
      const [first = "", ...otherLines] = item.children.flatMap(blockText);
      const mark = node.ordered === true ? `${(node.start ?? 1) + index}. ` : "- ";
      return [`${mark}${first}`, ...otherLines.map((line) => `${" ".repeat(mark.length)}${line}`)];
    });
  }
  if (node.type === "code") return node.value.split("\n").map((line) => `    ${line}`);
  if (node.type === "html") return node.value.split("\n");
  if (node.type === "paragraph" || node.type === "heading") return inlineText(node.children).split("\n");
  if (node.type === "blockquote") return node.children.flatMap(blockText);
  return toString(node).split("\n");
}

function inlineText(nodes: readonly PhrasingContent[]): string {
  return nodes
    .map((node) => (node.type === "break" ? "\n" : "children" in node ? inlineText(node.children) : "value" in node ? node.value : ""))
    .join("");
}
