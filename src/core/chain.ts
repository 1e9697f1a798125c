import { genesisHead, nextHead } from "./journal.ts";
import { sha256 } from "./json.ts";

/** One record as it is stored, and the head after it. */
export interface Link {
  readonly text: string;
  readonly head: string;
}

const markLength = 16;
const markPattern = /,"mark":"([0-9a-f]{16})"\}$/u;

/**
 * Makes a JSON object's text the next record of a hash chain. `mark`, its last member, is a hash over the head before it and the text without it:
 * the heads say that something was changed, the marks say where.
 */
export function chainText(head: string, plain: string): Link {
  const text = `${plain.slice(0, -1)},"mark":"${markOf(head, plain)}"}`;
  return { text, head: nextHead(head, text) };
}

function markOf(head: string, plain: string): string {
  return sha256(`${head}\n${plain}`).slice(0, markLength);
}

/** The first record of a chain that is not what was written there; `index` counts from 0. */
export interface ChainFault {
  readonly index: number;
  readonly what: string;
}

/** A chain as a store keeps it. */
export interface StoredChain {
  readonly texts: readonly string[];
  /** What the store says that the last record leads to. */
  readonly head: string;
  /** The head before the first record that is still kept; that of an empty chain unless given. */
  readonly start?: string;
}

/** Recomputes a chain. `isRecord` throws for a text that is none. Undefined when every record is what was written there and none is missing. */
export function findFault({ texts, head, start = genesisHead }: StoredChain, isRecord: (text: string) => unknown): ChainFault | undefined {
  let at = start;
  for (const [index, text] of texts.entries()) {
    try {
      isRecord(text);
    } catch {
      return { index, what: "it is no record" };
    }
    const mark = markPattern.exec(text);
    // Records of before there were marks: only the head at the end tells of them.
    if (mark !== null && mark[1] !== markOf(at, text.replace(markPattern, "}"))) {
      return { index, what: "it was changed, or what stood before it was removed or moved" };
    }
    at = nextHead(at, text);
  }
  return at === head
    ? undefined
    : {
        index: texts.length,
        what: "the last record does not lead to the head that is kept: records at the end are missing or were changed",
      };
}

/** The first record of a hash chain that is not what was written there; of a run's journal, else of the audit log. */
export interface BrokenRecord {
  readonly run?: string;
  readonly index: number;
  readonly what: string;
}
