import type { Block } from "../../../packages/sdk/src/wire/document-tree.ts";
import { visibleText } from "../page-format.ts";
import { Inlines, plainText } from "./inlines.tsx";

const maxCode = 20_000;

/** Blocks of a document as elements. A step is an item like any other here; the page of a run and of a runbook draw steps themselves. */
export function Blocks({ blocks }: { readonly blocks: readonly Block[] }) {
  return (
    <>
      {blocks.map((block) => (
        <BlockNode block={block} />
      ))}
    </>
  );
}

function BlockNode({ block }: { readonly block: Block }) {
  switch (block.type) {
    case "heading":
      return <Heading level={block.level} id={block.id} text={plainText(block.children)} />;
    case "paragraph":
      return (
        <p>
          <Inlines nodes={block.children} />
        </p>
      );
    case "list":
      return <List block={block} />;
    case "code":
      return <pre class="code">{visibleText(block.text, maxCode)}</pre>;
    case "table":
      return <Table block={block} />;
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.children} />
        </blockquote>
      );
    case "rule":
      return <hr />;
    case "step":
      return (
        <section>
          <p>
            <strong>
              {block.number}. {visibleText(block.name)}
            </strong>
          </p>
          <Blocks blocks={block.children} />
        </section>
      );
    case "raw":
      return <pre class="code">{visibleText(block.text, maxCode)}</pre>;
  }
}

/** A heading of the document. The page's title is the only one of the first level. */
export function Heading({ level, id, text }: { readonly level: number; readonly id?: string; readonly text: string }) {
  const content = visibleText(text, 300);
  if (level <= 2) return <h2 id={id}>{content}</h2>;
  if (level === 3) return <h3 id={id}>{content}</h3>;
  if (level === 4) return <h4 id={id}>{content}</h4>;
  return <h5 id={id}>{content}</h5>;
}

function List({ block: { ordered, start, items } }: { readonly block: Extract<Block, { readonly type: "list" }> }) {
  const content = items.map((item) => (
    <li>
      <Blocks blocks={item} />
    </li>
  ));
  return ordered ? <ol start={start}>{content}</ol> : <ul>{content}</ul>;
}

function Table({ block: { header, rows } }: { readonly block: Extract<Block, { readonly type: "table" }> }) {
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={`Table: ${visibleText(header.map(plainText).join(", "), 120)}`}>
      <table>
        <thead>
          <tr>
            {header.map((cell) => (
              <th scope="col">
                <Inlines nodes={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {row.map((cell) => (
                <td>
                  <Inlines nodes={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
