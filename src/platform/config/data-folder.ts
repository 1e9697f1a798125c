import { join, resolve } from "node:path";

/** The folder of our own data: RUNBOOKD_DATA, else `.runbookd` where the command runs; the same default as the setting's. */
export function dataFolder(context: {
  readonly env: { readonly [name: string]: string | undefined };
  readonly workingDirectory: string;
}): string {
  const configured = context.env["RUNBOOKD_DATA"];
  return resolve(context.workingDirectory, configured === undefined || configured === "" ? ".runbookd" : configured);
}

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
