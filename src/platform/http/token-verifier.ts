import type { Caller } from "../../core/role.ts";

/** Who a bearer token belongs to; undefined for every token that is not valid now. */
export interface TokenVerifier {
  verify(token: string): Promise<Caller | undefined>;
}
