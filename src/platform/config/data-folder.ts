import { join } from "node:path";

/** The hashes of all tokens. */
export function tokenFilePath(folder: string): string {
  return join(folder, "tokens.json");
}

/** The first admin's token in plain text, mode 0600. */
export function adminTokenPath(folder: string): string {
  return join(folder, "admin-token");
}

/** The head of the audit log, which a server keeps outside Redis. */
export function auditAnchorPath(folder: string): string {
  return join(folder, "audit-anchor.json");
}
