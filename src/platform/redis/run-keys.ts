import { dayMs } from "../../core/duration.ts";
import { sha256 } from "../../core/json.ts";
import type { Claim } from "../../core/verdict.ts";

const tag = "{rb}";

/** Every key of the ledger has one hash tag, so that each script is single-slot. No key is built from unhashed input. */
export const runKeys = {
  episode: (runbookId: string, fingerprint: string) => `${tag}:ep:${sha256(`${runbookId}|${fingerprint}`)}`,
  bytes: (sha: string) => `${tag}:rb:${sha}`,
  run: (id: string) => `${tag}:run:${id}`,
  journal: (id: string) => `${tag}:run:${id}:journal`,
  locks: (id: string) => `${tag}:run:${id}:locks`,
  question: (id: string) => `${tag}:q:${id}`,
  consents: (id: string) => `${tag}:q:${id}:consents`,
  links: (id: string) => `${tag}:q:${id}:links`,
  questions: `${tag}:questions`,
  audit: `${tag}:audit`,
  auditState: `${tag}:audit:state`,
  due: `${tag}:due`,
  runs: `${tag}:runs`,
  openRuns: `${tag}:open-runs`,
  damaged: `${tag}:damaged`,
  fenced: `${tag}:fenced`,
  freezes: `${tag}:freeze`,
  frozenRuns: `${tag}:frozen-runs`,
  watchdog: `${tag}:watchdog`,
  meta: `${tag}:meta`,
  checked: `${tag}:checked`,
  newEpisodes: `${tag}:new-episodes`,
  failures: (what: string) => `${tag}:failures:${sha256(what)}`,
  ineffective: (runbookId: string) => `${tag}:ineffective:${sha256(runbookId)}`,
  open: (openKey: string) => `${tag}:open:${openKey}`,
  claim: (claim: Claim) =>
    "lock" in claim ? `${tag}:t:${claim.lock}` : "bucket" in claim ? `${tag}:b:${claim.bucket}` : `${tag}:l:${claim.log}`,
  log: (name: string) => `${tag}:l:${name}`,
  bucket: (bucket: string) => `${tag}:b:${bucket}`,
} as const;

/** Runs are kept this long after their end. */
export const keepEndedMs = 30 * dayMs;

/** Run ids and question ids come from outside in URLs; anything else is no id of ours. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** Claims as the scripts read them: type, max, windowMs, amount. */
export function claimArgs(claims: readonly Claim[]): (string | number)[] {
  return claims.flatMap((claim) => {
    if ("lock" in claim) return ["lock", 0, 0, 0];
    if ("bucket" in claim) return ["bucket", claim.max, Math.ceil(claim.windowMs), claim.amount];
    return ["log", 0, Math.ceil(claim.keepMs), claim.entry];
  });
}
