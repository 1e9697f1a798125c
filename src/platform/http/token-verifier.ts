import type { Caller } from "../../core/role.ts";

/** Who a bearer token belongs to; undefined for every token that is not valid now. */
export interface TokenVerifier {
  verify(token: string): Promise<Caller | undefined>;
  /** The same by the token's SHA-256, for sessions; absent where there are none. */
  verifyHash?(tokenSha256: string): Promise<Caller | undefined>;
  /** Calls `listener` whenever tokens were seen to have come, gone or changed. The result ends that. */
  onChange?(listener: () => void): () => void;
}
