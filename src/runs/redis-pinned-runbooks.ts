import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../core/action.ts";
import { sha256 } from "../core/json.ts";
import { parseRunbook } from "../runbooks/parse/parse-runbook.ts";
import type { RunbookBytes } from "../runbooks/runbook-bytes.ts";
import type { PinnedRunbooks } from "./pinned-runbooks.ts";

/** Compiled documents kept in memory. */
const maxCompiled = 64;

/** The documents that runs are pinned to: from memory by hash, else from the ledger, proven by their hash and parsed. */
export function createPinnedRunbooks(bytes: Pick<RunbookBytes, "get">, catalogue: ActionCatalogue): PinnedRunbooks {
  const compiled = new Map<string, Runbook>();
  return {
    async get(sha, runbookId) {
      const key = `${runbookId}:${sha}`;
      const cached = compiled.get(key);
      if (cached !== undefined) return cached;
      const source = await bytes.get(sha);
      if (source === undefined || sha256(source) !== sha) return undefined;
      const { runbook } = parseRunbook({ file: `${runbookId}.md`, source, catalogue });
      if (runbook === undefined) return undefined;
      if (compiled.size >= maxCompiled) compiled.delete([...compiled.keys()][0] ?? "");
      compiled.set(key, runbook);
      return runbook;
    },
  };
}
