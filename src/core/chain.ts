import { genesisHead, nextHead, withoutLink } from "./journal.ts";
import { sha256 } from "./json.ts";

/** One record as it is stored, and the head after it. */
export interface Link {
  readonly text: string;
  readonly head: string;
}

const linkLength = 16;
/** In place of a link, a record of an earlier version has a mark, which is a hash of its own. */
const markPattern = /,"mark":"([0-9a-f]{16})"\}$/u;

/**
 * Makes a JSON object's text the next record of a hash chain. The head after it is a hash over the head before it and the text. `link`, its last
 * member, is the beginning of that head: the heads say that something was changed, the links say where.
 */
export function chainText(head: string, plain: string): Link {
  const next = nextHead(head, plain);
  return { text: `${plain.slice(0, -1)},"link":"${next.slice(0, linkLength)}"}`, head: next };
}

/** Whether a record says that it follows this head. One of before there were marks says nothing: only the last head tells of it. */
function isInPlace(head: string, text: string): boolean {
  const plain = withoutLink(text);
  if (plain !== text) return text.slice(-linkLength - 2, -2) === nextHead(head, plain).slice(0, linkLength);
  const mark = markPattern.exec(text);
  return mark === null || mark[1] === sha256(`${head}\n${text.replace(markPattern, "}")}`).slice(0, linkLength);
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
    if (!isInPlace(at, text)) {
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
