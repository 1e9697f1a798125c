import type { ComponentChildren } from "preact";
import type { Inline } from "../../../packages/sdk/src/wire/document-tree.ts";
import { visibleText } from "../page-format.ts";

/** Text of a document as elements. Each node is text for the browser, whatever it holds. */
export function Inlines({ nodes }: { readonly nodes: readonly Inline[] }) {
  return (
    <>
      {nodes.map((node) => (
        <InlineNode node={node} />
      ))}
    </>
  );
}

function InlineNode({ node }: { readonly node: Inline }) {
  switch (node.type) {
    case "text":
    case "raw":
      return <>{visibleText(node.text)}</>;
    case "strong":
      return (
        <strong>
          <Inlines nodes={node.children} />
        </strong>
      );
    case "emphasis":
      return (
        <em>
          <Inlines nodes={node.children} />
        </em>
      );
    case "code":
      return <code>{visibleText(node.text)}</code>;
    case "link":
      return (
        <SafeLink href={node.href}>
          <Inlines nodes={node.children} />
        </SafeLink>
      );
    case "image":
      return node.href === undefined ? <>{visibleText(node.text)}</> : <SafeLink href={node.href}>{visibleText(node.text)}</SafeLink>;
    case "break":
      return <br />;
  }
}

const permitted = /^(?:https?:\/\/|#|\/(?!\/))/u;

/** A link to a place in the console or to an http(s) address; any other address is left out and its text remains. */
export function SafeLink({ href, children }: { readonly href: string; readonly children: ComponentChildren }) {
  if (!permitted.test(href)) return <>{children}</>;
  return href.startsWith("http") ? (
    <a href={href} rel="noreferrer">
      {children}
    </a>
  ) : (
    <a href={href}>{children}</a>
  );
}

/** The text of nodes without its marks. */
export function plainText(nodes: readonly Inline[]): string {
  return nodes.map((node) => ("children" in node ? plainText(node.children) : "text" in node ? node.text : " ")).join("");
}
