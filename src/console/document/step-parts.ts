import type { Block, Inline } from "../../../packages/sdk/src/wire/document-tree.ts";
import { plainText } from "./inlines.tsx";

/** One labelled item of a step, e.g. `Action` with the name and the parameters. */
export interface StepLabel {
  readonly name: string;
  /** What follows the label on its line. */
  readonly value: readonly Inline[];
  /** What follows below it, such as the parameters. */
  readonly below: readonly Block[];
}

/** What a step of a document consists of. */
export interface StepParts {
  readonly prose: readonly Block[];
  readonly labels: readonly StepLabel[];
}

const labelPattern =
  /^\s*(action|command or action|when|expected|expected result|if this fails|what to do if this fails|undo|approval|timeout)\s*:\s*/iu;

/** Separates the prose of a step from its labelled items. */
export function stepParts(blocks: readonly Block[]): StepParts {
  const prose: Block[] = [];
  const labels: StepLabel[] = [];
  for (const block of blocks) {
    if (block.type !== "list") {
      prose.push(block);
      continue;
    }
    const unlabelled = block.items.filter((item) => {
      const label = labelOf(item);
      if (label !== undefined) labels.push(label);
      return label === undefined;
    });
    if (unlabelled.length > 0) prose.push({ ...block, items: unlabelled });
  }
  return { prose, labels };
}

function labelOf([first, ...below]: readonly Block[]): StepLabel | undefined {
  if (first?.type !== "paragraph") return undefined;
  const match = labelPattern.exec(plainText(first.children));
  return match === null ? undefined : { name: capital(match[1] ?? ""), value: withoutStart(first.children, match[0].length), below };
}

/** The nodes behind this many characters. */
function withoutStart(nodes: readonly Inline[], length: number): readonly Inline[] {
  let remaining = length;
  return nodes.flatMap((node): readonly Inline[] => {
    const text = plainText([node]);
    const cut = Math.min(remaining, text.length);
    remaining -= cut;
    if (cut === 0) return [node];
    if (cut === text.length) return [];
    return [{ type: "text", text: text.slice(cut) }];
  });
}

/** The action that a step names, or undefined for a step that people do. */
export function actionName({ labels }: StepParts): string | undefined {
  const action = labels.find(({ name }) => /action$/iu.test(name));
  const code = action?.value.find((node) => node.type === "code");
  return code?.type === "code" ? code.text : undefined;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();
}
