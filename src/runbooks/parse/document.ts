import { type Code, descendants, fenceOf, type Heading, plainText, type Root, type RootContent, spanOf } from "./markdown.ts";
import { nearest, type Reporter } from "./reporter.ts";

/** Headings that the machine knows, by their canonical names. */
export const canonicalHeadings = ["Scenario", "Symptoms", "Prerequisites", "Procedure", "Verification", "Post-Action", "Related"] as const;

/** See {@link canonicalHeadings}. */
export type CanonicalHeading = (typeof canonicalHeadings)[number];

/** Headings of other teams' documents, in lower case, and the section that each is read as. Steps of Diagnosis only read. */
export const headingAliases: Readonly<Record<string, CanonicalHeading>> = {
  meaning: "Scenario",
  impact: "Symptoms",
  diagnosis: "Procedure",
  mitigation: "Procedure",
  "post action": "Post-Action",
  "post-actions": "Post-Action",
};

/** A second-level heading with what stands under it. */
export interface Section {
  /** Undefined for a heading that the machine does not know. */
  readonly heading: CanonicalHeading | undefined;
  readonly written: string;
  readonly readOnly: boolean;
  /** A first-level heading; what follows it belongs to no section. */
  readonly isTitle: boolean;
  readonly start: number;
  /** Offsets of what stands under the heading. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly children: readonly RootContent[];
}

/** A document cut at its second-level headings. */
export interface DocumentOutline {
  readonly title: string | undefined;
  readonly sections: readonly Section[];
}

/** Cuts the document and reports headings that are missing, repeated, under another name or not ATX. */
export function outlineOf(text: string, root: Root, reporter: Reporter): DocumentOutline {
  const sections: { section: Omit<Section, "bodyEnd" | "children">; children: RootContent[] }[] = [];
  let title: string | undefined;
  for (const child of root.children) {
    if (child.type === "heading" && child.depth === 1 && title === undefined) title = titleOf(child);
    if (child.type === "heading" && child.depth <= 2 && isAtx(text, child)) {
      const written = plainText(child).trim();
      const heading = child.depth === 2 ? headingOf(written) : undefined;
      const span = spanOf(child);
      const readOnly = written.toLowerCase() === "diagnosis";
      sections.push({
        section: { heading, written, readOnly, isTitle: child.depth === 1, start: span.start, bodyStart: span.end },
        children: [],
      });
      continue;
    }
    sections.at(-1)?.children.push(child);
  }
  const cut = sections.map(({ section, children }, index) => ({
    ...section,
    bodyEnd: sections[index + 1]?.section.start ?? text.length,
    children,
  }));
  checkHeadings({ text, root, sections: cut }, reporter);
  return { title, sections: cut };
}

function titleOf(heading: Heading): string {
  return plainText(heading)
    .trim()
    .replace(/^runbook\s*:\s*/iu, "");
}

function headingOf(written: string): CanonicalHeading | undefined {
  const name = written.toLowerCase();
  return (
    canonicalHeadings.find((one) => one.toLowerCase() === name) ?? (Object.hasOwn(headingAliases, name) ? headingAliases[name] : undefined)
  );
}

function isAtx(text: string, heading: Heading): boolean {
  return text.startsWith("#", spanOf(heading).start);
}

function checkHeadings(
  { text, root, sections }: { readonly text: string; readonly root: Root; readonly sections: readonly Section[] },
  reporter: Reporter,
): void {
  for (const node of descendants(root)) {
    if (node.type === "heading" && !isAtx(text, node)) {
      reporter.error({
        rule: "atx-heading",
        at: spanOf(node).start,
        message: "A heading is underlined (or a `---` line ended up under a text).",
        accepted: "`## Name`; an empty line before a `---`",
      });
    }
  }
  const namedSections = sections.filter((section) => section.heading !== undefined);
  for (const [index, section] of namedSections.entries()) {
    const earlier = namedSections.slice(0, index).filter((other) => other.heading === section.heading);
    const isRepeated = earlier.some((other) => section.heading !== "Procedure" || !other.readOnly || section.readOnly);
    if (isRepeated)
      reporter.error({
        rule: "repeated-heading",
        at: section.start,
        message: `\`${section.heading ?? ""}\` is there twice (here as \`${section.written}\`).`,
        accepted: "each section once",
      });
    if (section.heading !== undefined && section.written !== section.heading) {
      reporter.warn({
        rule: "heading-alias",
        at: section.start,
        message: `\`${section.written}\` is read as \`${section.heading}\`.`,
        accepted: `\`## ${section.heading}\``,
      });
    }
  }
  for (const section of sections) {
    if (section.heading !== undefined || section.isTitle) continue;
    const meant = nearest(section.written, canonicalHeadings);
    if (meant !== undefined && !namedSections.some((other) => other.heading === meant)) {
      reporter.warn({
        rule: "unknown-heading",
        at: section.start,
        message: `\`${section.written}\` is no known section and is read as prose.`,
        accepted: `\`## ${meant}\``,
      });
    }
  }
  for (const heading of ["Scenario", "Procedure"] as const) {
    if (!namedSections.some((section) => section.heading === heading)) {
      reporter.error({
        rule: "missing-section",
        at: 0,
        message: `The document has no \`## ${heading}\`.`,
        accepted: "both `## Scenario` and `## Procedure`",
      });
    }
  }
}

/** Reports what would swallow the rest of a document: a fence or a comment that is not closed. */
export function checkClosed(text: string, root: Root, reporter: Reporter): void {
  for (const node of descendants(root)) {
    if (node.type === "code" && fenceOf(text, node) === "open") {
      reporter.error({
        rule: "unclosed-fence",
        at: spanOf(node).start,
        message: "The code fence is not closed.",
        accepted: "a closing fence with the same indentation",
      });
    }
    if (node.type === "html" && /<!--(?:(?!-->)[\s\S])*$/u.test(node.value)) {
      reporter.error({
        rule: "unclosed-comment",
        at: spanOf(node).start,
        message: "The HTML comment is not closed.",
        accepted: "`-->` at its end",
      });
    }
  }
}

/** A `yaml` or `promql` fence that belongs to nothing is an error: its author meant it for the machine. */
export function checkStrayFences(root: Root, consumed: ReadonlySet<Code>, reporter: Reporter): void {
  for (const node of descendants(root)) {
    if (node.type !== "code" || consumed.has(node)) continue;
    const info = node.lang?.toLowerCase();
    if (info !== "yaml" && info !== "yml" && info !== "promql") continue;
    reporter.error({
      rule: "stray-fence",
      at: spanOf(node).start,
      message: `This \`${info}\` fence belongs to no action, undo or check.`,
      accepted: "a fence directly below its bullet with the bullet's indentation; another info word for an example",
    });
  }
}
