import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { AuditLog } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { TokenFile, TokenInfo } from "../platform/http/token-file.ts";

const seenSchema = z.array(z.object({ name: z.string(), role: z.string(), createdAt: z.number() }));

type Seen = z.output<typeof seenSchema>;

/** What the watch works with. `seenPath`: file that remembers which tokens the audit log knows of. */
export interface WatchTokensDeps {
  readonly tokens: Pick<TokenFile, "list">;
  readonly audit: AuditLog;
  readonly seenPath: string;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Records tokens that came and went since the last look. Tokens are made by a command that needs no Redis, or by hand: so their file is
 * compared with what was recorded. Recorded first and remembered afterwards: a crash between records twice and forgets nothing.
 */
export async function recordTokenChanges({ tokens, audit, seenPath, clock }: WatchTokensDeps): Promise<void> {
  const now = await tokens.list();
  const seen = await readSeen(seenPath);
  const created = now.filter((token) => !seen.some((known) => isSame(known, token)));
  const revoked = seen.filter((known) => !now.some((token) => isSame(known, token)));
  if (created.length + revoked.length === 0) return;
  const note = async (kind: "token_created" | "token_revoked", { name, role, createdAt }: Seen[number]) =>
    audit.append({ at: clock.now(), kind, by: "token file", subject: name, detail: { role, createdAt } });
  for (const token of revoked) await note("token_revoked", token);
  for (const token of created) await note("token_created", token);
  await writeFile(`${seenPath}.new`, JSON.stringify(now), { mode: 0o600 });
  await rename(`${seenPath}.new`, seenPath);
}

function isSame(a: Seen[number], b: TokenInfo | Seen[number]): boolean {
  return a.name === b.name && a.role === b.role && a.createdAt === b.createdAt;
}

/** A memory that is gone or broken is an empty one: everything is recorded again rather than nothing. */
async function readSeen(path: string): Promise<Seen> {
  try {
    return seenSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return [];
  }
}
