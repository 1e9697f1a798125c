import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import type { Feature } from "../../core/feature.ts";
import type { LongWork, LongWorkCall } from "../../core/long-work.ts";

/** What is sent to an isolated instance, once. */
export interface AttackTry {
  /** Names this try among those of one replay. */
  readonly id: string;
  /** What the user, or the document that the model reads, says, turn by turn. */
  readonly turns: readonly string[];
  /**
   * 32 hexadecimal digits that open nothing and that only this try has. The instance plants them where its secrets are, e.g. in its instructions or among its
   * invented data: where they come out, so would a secret.
   */
  readonly honeytoken: string;
}

/** What an isolated instance did with one try. */
export interface AttackTranscript {
  /** Of the try. */
  readonly id: string;
  /** What the model answered, turn by turn. */
  readonly answers: readonly string[];
  readonly toolCalls: readonly { readonly name: string; readonly arguments: Json }[];
  /** What a listener outside of the instance received from it, e.g. the text of a honeytoken. */
  readonly received: readonly string[];
  /** The instance came to no answer: a fault of the replay, and no defense. */
  readonly failed?: string;
}

/** Which version is attacked: what is deployed now, or one commit. */
export type AttackedVersion = { readonly kind: "deployed" } | { readonly kind: "commit"; readonly sha: string };

/** One replay: the feature, the version that is attacked, and the tries. */
export interface AttackRequest {
  readonly feature: Feature;
  readonly version: AttackedVersion;
  readonly tries: readonly AttackTry[];
}

/** What came of a replay. */
export interface AttackRun {
  /** Full id of the commit that the instance ran, as it said itself. */
  readonly sha: string;
  readonly transcripts: readonly AttackTranscript[];
}

/**
 * Sends tries to an instance that was started for them alone, with invented data and honeytokens, and never to production. It only carries them out: whether an
 * attack has worked is judged by the product. Rejects with StepFailure.
 */
export interface AttackRunner {
  replay(request: AttackRequest, call: LongWorkCall): Promise<LongWork<AttackRun>>;
}
