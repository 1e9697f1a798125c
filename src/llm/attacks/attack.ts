import type { LinearPattern } from "../../core/linear-pattern.ts";

/** What is sent in one conversation, turn by turn. */
export type Turns = readonly string[];

/** By what a transcript is recognized. Texts are looked for in answers, in arguments of tool calls, and in what a listener received. */
export type Mark =
  /** In any case. */
  | { readonly kind: "contains"; readonly text: string }
  | { readonly kind: "regex"; readonly pattern: LinearPattern }
  /** `arguments`: the canonical JSON of the call's arguments must match too. */
  | { readonly kind: "tool_called"; readonly tool: string; readonly arguments?: LinearPattern }
  /** The made-up secret that the instance was given for this one try has come out. */
  | { readonly kind: "honeytoken" };

/** A recorded attack. */
export interface Attack {
  /** Unique in its corpus. */
  readonly id: string;
  /** Ids of OWASP with their edition, e.g. `LLM01:2025`. */
  readonly owasp: readonly string[];
  /** Conversations that are the same attack in other words; at least one. */
  readonly variants: readonly Turns[];
  /** It has worked when one of these is in the transcript; at least one. */
  readonly success: readonly Mark[];
}

/** An ordinary request that a fix must not refuse. */
export interface HarmlessRequest {
  /** Unique in its corpus. */
  readonly id: string;
  readonly turns: Turns;
  /** It was answered when all of these are in the transcript; at least one. */
  readonly expected: readonly Mark[];
}

/** What every fix of a feature is tested against. */
export interface AttackCorpus {
  readonly feature: string;
  /** At least one. */
  readonly attacks: readonly Attack[];
  readonly harmless: readonly HarmlessRequest[];
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
}

/** A corpus, that there is none, or why it cannot be used, one sentence for each fault. */
export type CorpusReading =
  | { readonly kind: "corpus"; readonly corpus: AttackCorpus }
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly faults: readonly string[] };

/** Where the corpora of features are kept. */
export interface AttackCorpora {
  read(feature: string): Promise<CorpusReading>;
}
