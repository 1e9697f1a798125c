/** Who a caller is. Every route names the roles that it answers; nothing is permitted that is not named. */
export const roles = ["viewer", "operator", "approver", "admin", "workload", "scanner"] as const;

/**
 * See {@link roles}. `workload` is the LLM application itself: it may report usage and ask for admission, and see nothing else. `scanner` is a security scanner:
 * it may report findings of the source that its token is named after, and see nothing.
 */
export type Role = (typeof roles)[number];

/** A caller whose token was verified. `name` is the token's name: it stands in the journal and in reports. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}
