import { z } from "zod";

/** A piece of text inside a block. Everything is plain text: none of it is HTML. */
export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "strong"; readonly children: readonly Inline[] }
  | { readonly type: "emphasis"; readonly children: readonly Inline[] }
  | { readonly type: "code"; readonly text: string }
  /** `href` matches {@link linkPattern}. */
  | { readonly type: "link"; readonly href: string; readonly children: readonly Inline[] }
  /** A page shows the address as a link, and never loads it. `text` is the alternative text, or the address without one. */
  | { readonly type: "image"; readonly href?: string; readonly text: string }
  | { readonly type: "break" }
  /** The source of what has no node of its own, such as HTML or a link whose address is not permitted. */
  | { readonly type: "raw"; readonly text: string };

/** One block of a document. */
export type Block =
  /** `id` is the target of `#id`, and unique in the document. */
  | { readonly type: "heading"; readonly level: number; readonly id: string; readonly children: readonly Inline[] }
  | { readonly type: "paragraph"; readonly children: readonly Inline[] }
  /** `start` is the first number of an ordered list, absent when it is 1. */
  | { readonly type: "list"; readonly ordered: boolean; readonly start?: number; readonly items: readonly (readonly Block[])[] }
  | { readonly type: "code"; readonly language?: string; readonly text: string }
  | {
      readonly type: "table";
      readonly header: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly type: "quote"; readonly children: readonly Block[] }
  | { readonly type: "rule" }
  /** An item of the Procedure. `id` and `number` are those of the step that the engine runs; `children` begin behind the name. */
  | { readonly type: "step"; readonly id: string; readonly number: number; readonly name: string; readonly children: readonly Block[] }
  /** The source of what has no node of its own, such as HTML. */
  | { readonly type: "raw"; readonly text: string };

/** Where a link may lead: another site over http(s), a place in the same document, or the page of another runbook. */
export const linkPattern = /^(?:https?:\/\/|#|\/runbooks\/[^/])/u;

const href = z.string().regex(linkPattern);
const text = z.string();
const inlines: z.ZodType<readonly Inline[]> = z.lazy(() => z.array(inlineSchema));
const blocks: z.ZodType<readonly Block[]> = z.lazy(() => z.array(blockSchema));

/** See {@link Inline}. */
const inlineSchema: z.ZodType<Inline> = z
  .lazy(() =>
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text }),
      z.object({ type: z.literal("strong"), children: inlines }),
      z.object({ type: z.literal("emphasis"), children: inlines }),
      z.object({ type: z.literal("code"), text }),
      z.object({ type: z.literal("link"), href, children: inlines }),
      z.object({ type: z.literal("image"), href: z.exactOptional(href), text }),
      z.object({ type: z.literal("break") }),
      z.object({ type: z.literal("raw"), text }),
    ]),
  )
  .meta({ id: "Inline" });

/** See {@link Block}. */
const blockSchema: z.ZodType<Block> = z
  .lazy(() =>
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("heading"), level: z.int().min(1).max(6), id: z.string(), children: inlines }),
      z.object({ type: z.literal("paragraph"), children: inlines }),
      z.object({ type: z.literal("list"), ordered: z.boolean(), start: z.exactOptional(z.int()), items: z.array(blocks) }),
      z.object({ type: z.literal("code"), language: z.exactOptional(z.string()), text }),
      z.object({ type: z.literal("table"), header: z.array(inlines), rows: z.array(z.array(inlines)) }),
      z.object({ type: z.literal("quote"), children: blocks }),
      z.object({ type: z.literal("rule") }),
      z.object({ type: z.literal("step"), id: z.string(), number: z.int(), name: z.string(), children: blocks }),
      z.object({ type: z.literal("raw"), text }),
    ]),
  )
  .meta({ id: "Block" });

/** A runbook's Markdown as a tree of a closed set of nodes, so that a page builds elements from it and never sets HTML. */
export const documentTreeSchema = z
  .object({
    /** Id of the runbook. */
    runbook: z.string(),
    /** Hash of the bytes that the tree was made from. */
    sha256: z.string(),
    title: z.string(),
    /** Without the front matter and the first-level heading that is the title. */
    children: blocks,
  })
  .meta({ id: "DocumentTree" });

/** See {@link documentTreeSchema}. */
export type DocumentTree = z.output<typeof documentTreeSchema>;
