import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { AuditLog } from "../core/audit.ts";
import { type ClaimDeps, claimPath } from "../platform/claim-path.ts";
import type { TokenFile, TokenInfo } from "../platform/http/token-file.ts";

const auditedTokensSchema = z.array(z.object({ name: z.string(), role: z.string(), createdAt: z.number() }));

type AuditedTokens = z.output<typeof auditedTokensSchema>;

/** What the watch works with. `auditedPath`: file that remembers which tokens the audit log knows of. */
export interface WatchTokensDeps extends ClaimDeps {
  readonly tokens: Pick<TokenFile, "list">;
  readonly audit: AuditLog;
  readonly auditedPath: string;
}

/**
 * Records tokens that came and went since the last look. Tokens are made by a command that needs no Redis, or by hand: so their file is
 * compared with what was recorded. Recorded first and remembered afterwards: a crash between records twice and forgets nothing.
 */
export async function recordTokenChanges(deps: WatchTokensDeps): Promise<void> {
  if ((await changesOf(deps)).isEmpty) return;
  // Servers that share a data folder share its memory: while one records, the others have nothing to do.
  const lock = await claimPath(`${deps.auditedPath}.lock`, { waitMs: 0 }, deps);
  if (lock.kind === "taken") return;
  try {
    await recordUnderLock(deps);
  } finally {
    await lock.release();
  }
}

async function changesOf({ tokens, auditedPath }: Pick<WatchTokensDeps, "tokens" | "auditedPath">) {
  const now = await tokens.list();
  const audited = await readAuditedTokens(auditedPath);
  const created = now.filter((token) => !audited.some((auditedToken) => isSame(auditedToken, token)));
  const revoked = audited.filter((auditedToken) => !now.some((token) => isSame(auditedToken, token)));
  return { now, created, revoked, isEmpty: created.length + revoked.length === 0 };
}

async function recordUnderLock(deps: WatchTokensDeps): Promise<void> {
  const { audit, auditedPath, clock } = deps;
  const { now, created, revoked } = await changesOf(deps);
  const record = async (kind: "token_created" | "token_revoked", { name, role, createdAt }: AuditedTokens[number]) =>
    audit.append({ at: clock.now(), kind, by: "token file", subject: name, detail: { role, createdAt } });
  for (const token of revoked) await record("token_revoked", token);
  for (const token of created) await record("token_created", token);
  await writeFile(`${auditedPath}.new`, JSON.stringify(now), { mode: 0o600 });
  await rename(`${auditedPath}.new`, auditedPath);
}

function isSame(a: AuditedTokens[number], b: TokenInfo | AuditedTokens[number]): boolean {
  return a.name === b.name && a.role === b.role && a.createdAt === b.createdAt;
}

/** A memory that is gone or broken is an empty one: everything is recorded again rather than nothing. */
async function readAuditedTokens(path: string): Promise<AuditedTokens> {
  try {
    return auditedTokensSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return [];
  }
}
