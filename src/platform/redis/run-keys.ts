import { dayMs } from "../../core/duration.ts";
import { sha256 } from "../../core/json.ts";
import type { Claim } from "../../core/verdict.ts";

const tag = "{rb}";

/** Keys of runs and of all that goes with them; docs/redis.md lists them. One hash tag, so that each script is single-slot. Input from outside is hashed. */
export const runKeys = {
  episode: (runbookId: string, fingerprint: string) => runKeys.episodeOf(`${runbookId}|${fingerprint}`),
  /** `name`: runbook and fingerprint, joined by `|`. */
  episodeOf: (name: string): string => `${tag}:episode:${sha256(name)}`,
  runbook: (sha: string) => `${tag}:runbook:${sha}`,
  run: (id: string) => `${tag}:run:${id}`,
  journal: (id: string) => `${tag}:run:${id}:journal`,
  locks: (id: string) => `${tag}:run:${id}:locks`,
  question: (id: string) => `${tag}:question:${id}`,
  consents: (id: string) => `${tag}:question:${id}:consents`,
  links: (id: string) => `${tag}:question:${id}:links`,
  questions: `${tag}:questions`,
  answeredQuestions: `${tag}:answered-questions`,
  audit: `${tag}:audit`,
  auditState: `${tag}:audit:state`,
  due: `${tag}:due`,
  runs: `${tag}:runs`,
  /** Runs with one quality, such as one target; see run-qualities.ts. */
  runsBy: (quality: string) => `${tag}:runs:with:${sha256(quality)}`,
  runPlaces: `${tag}:runs:places`,
  runExpiry: `${tag}:runs:expiry`,
  openRuns: `${tag}:open-runs`,
  /** Open runs by runbook. */
  openCounts: `${tag}:open-runs:counts`,
  endedRuns: `${tag}:ended-runs`,
  damaged: `${tag}:damaged-runs`,
  fenced: `${tag}:fenced-writes`,
  session: (hash: string) => `${tag}:session:${hash}`,
  sessionsOfToken: (tokenHash: string) => `${tag}:token:${tokenHash}:sessions`,
  feed: `${tag}:feed`,
  signInLink: (hash: string) => `${tag}:sign-in-link:${hash}`,
  freezes: `${tag}:freezes`,
  frozenRuns: `${tag}:frozen-runs`,
  watchdog: `${tag}:watchdog`,
  meta: `${tag}:meta`,
  checked: `${tag}:checked-by`,
  newEpisodes: `${tag}:new-episodes`,
  failures: (what: string) => `${tag}:failures:${sha256(what)}`,
  ineffective: (runbookId: string) => `${tag}:ineffective-runs:${sha256(runbookId)}`,
  decisions: `${tag}:decisions`,
  decisionEntries: `${tag}:decisions:entries`,
  decisionRepeats: `${tag}:decisions:repeats`,
  decisionLast: `${tag}:decisions:last`,
  /** Decisions with one quality, such as one alert; see redis-decision-log.ts. */
  decisionsBy: (quality: string) => `${tag}:decisions:with:${sha256(quality)}`,
  openRun: (openKey: string) => `${tag}:open-run:${openKey}`,
  claim: (claim: Claim) =>
    "lock" in claim ? `${tag}:lock:${claim.lock}` : "bucket" in claim ? `${tag}:bucket:${claim.bucket}` : `${tag}:log:${claim.log}`,
  log: (name: string) => `${tag}:log:${name}`,
  bucket: (bucket: string) => `${tag}:bucket:${bucket}`,
} as const;

/** Runs are kept this long after their end. */
export const endedRetentionMs = 30 * dayMs;

/** Run ids and question ids come from outside in URLs; anything else is no id of ours. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** The indexes of these qualities as the scripts read them: their keys, joined by blanks. `keyOf`: {@link runKeys}' `runsBy` unless said. */
export function runIndexes(qualities: readonly string[], keyOf: (quality: string) => string = runKeys.runsBy): string {
  return qualities.map((quality) => keyOf(quality)).join(" ");
}

/** A key that holds a hash is made from each name once, as long as no more than a thousand names are in use. */
export function rememberKeys(keyOf: (name: string) => string): (name: string) => string {
  const keys = new Map<string, string>();
  return (name) => {
    const remembered = keys.get(name);
    if (remembered !== undefined) return remembered;
    if (keys.size >= 1000) keys.clear();
    const key = keyOf(name);
    keys.set(name, key);
    return key;
  };
}

/** Claims as the scripts read them: type, max, windowMs, amount. */
export function claimArgs(claims: readonly Claim[]): (string | number)[] {
  return claims.flatMap((claim) => {
    if ("lock" in claim) return ["lock", 0, 0, 0];
    if ("bucket" in claim) return ["bucket", claim.max, Math.ceil(claim.windowMs), claim.amount];
    return ["log", 0, Math.ceil(claim.retentionMs), claim.entry];
  });
}
