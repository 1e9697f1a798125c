import { join, resolve } from "node:path";
import type { AuditLog } from "../core/audit.ts";
import { adminTokenPath, tokenFilePath } from "../platform/config/data-folder.ts";
import { createTokenFile } from "../platform/http/token-file.ts";
import type { TokenVerifier } from "../platform/http/token-verifier.ts";
import type { Runtime, RuntimeSources } from "./runtime.ts";
import { recordTokenChanges, type WatchTokensDeps } from "./watch-tokens.ts";

/** The tokens of the API, and the file with the first admin token in plain text when it was made just now. */
export interface OpenTokens {
  readonly tokens: TokenVerifier;
  readonly adminTokenFile: string | undefined;
}

/** Opens the file of tokens, makes the first admin token when there is none, and records which tokens come and go. */
export async function openTokens(
  runtime: Runtime,
  { workingDirectory }: Pick<RuntimeSources, "workingDirectory">,
  audit: AuditLog,
): Promise<OpenTokens> {
  const folder = resolve(workingDirectory, runtime.config.dataFolder);
  const tokens = createTokenFile(tokenFilePath(folder), runtime);
  watchTokens(runtime, { tokens, audit, auditedPath: join(folder, "tokens.audited.json"), clock: runtime.clock, random: runtime.random });
  const adminTokenFile = adminTokenPath(folder);
  const isFirst = (await tokens.createFirstAdmin(adminTokenFile)) !== undefined;
  return { tokens, adminTokenFile: isFirst ? adminTokenFile : undefined };
}

const watchTokensEveryMs = 5000;

/** A look that fails is made again: the file or Redis may be away for a while. */
function watchTokens({ log, closers, clock, store }: Runtime, deps: WatchTokensDeps): void {
  let looking: Promise<void> | undefined;
  const poll = () => {
    if (!store.isFit()) return;
    looking ??= recordTokenChanges(deps)
      .catch((error: unknown) => log.warn({ error }, "Changes of tokens could not be recorded; they will be."))
      .finally(() => (looking = undefined));
  };
  const watching = clock.every(watchTokensEveryMs, poll);
  closers.add("token watch", async () => {
    watching.stop();
    await looking;
  });
}
