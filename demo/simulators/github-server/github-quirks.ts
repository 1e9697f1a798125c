/** Behaviors of GitHub that a client must survive. Each is off until a test or a demonstration switches it on. */
export interface GitHubQuirks {
  /** Deliveries of webhooks get lost; GitHub does not send them again. */
  deliveriesLost: boolean;
  /** Every delivery comes twice with one GUID, as with two webhooks or after a redelivery. */
  deliveriesDoubled: boolean;
  /** Deliveries are held until `release`, which may send them in another order. */
  deliveriesHeld: boolean;
  /** What deliveries are signed with. */
  signedWith: "sha256" | "sha1" | "nothing";
  /** Alerts in events have no `updated_at` and no `state`, as those of older servers. */
  eventsWithoutTimes: boolean;
  /** Lists of secrets answer 404, as where secret scanning is disabled. */
  secretScanningDisabled: boolean;
  /** Lists of code scanning answer 403 without a license, or 503. */
  codeScanning: "enabled" | "forbidden" | "unavailable";
  /** Every request is answered 403 by a secondary rate limit; `retryAfterS` absent: without the header. */
  secondaryLimit: { readonly retryAfterS?: number } | undefined;
  /** Every request is answered 403, because the requests of the hour are used up until this second. */
  primaryLimitUntilS: number | undefined;
  /** `security_severity_level` is null, as for rules that are about quality. */
  nullSecuritySeverity: boolean;
  /** `hide_secret=true` is ignored, as by older servers. */
  secretsAlwaysShown: boolean;
  /** Every request is answered 301 to the same path at this address. */
  movedTo: string | undefined;
  /** The next page of a list is named at this address. */
  nextPageAt: string | undefined;
  /** Alerts that the lists show first. */
  oddAlerts: readonly unknown[];
  /** How often a pull request is read before it is known whether it can be merged; until then `mergeable` is null. */
  mergeableNullLooks: number;
  /** Called when a merge is asked for, before it is decided, e.g. to move its head. */
  beforeMerge: (() => void) | undefined;
  /** Every merge is answered 405 with these words, as where a review is required. */
  mergeRefused: string | undefined;
  /** The repository permits squashed merges alone. */
  mergeCommitsForbidden: boolean;
  /** This number of answers to what was done is lost: the connection breaks afterwards. */
  answersLost: number;
  /** Issues are disabled. */
  issuesDisabled: boolean;
  /** What a dispatch is answered: 200 with the run when that is asked for, 204 in any case, or 422 when it is asked for, as by older servers. */
  dispatchAnswer: "details" | "bare" | "refuses details";
  /** How often runs are listed without a new one. */
  runsListedLate: number;
  /** Name of an environment that a person must approve before a run goes on. */
  environmentHolds: string | undefined;
  /** Deployments merge the default branch although they were told not to. */
  autoMergesAnyway: boolean;
  /** File of the workflow that begins with a deployment. */
  deploymentStarts: string | undefined;
  /** Code scanning says `fixed` only after its next analysis, and not when a fix is merged. */
  fixedOnlyAfterAnalysis: boolean;
  /** Answers are HTML with 200, as those of a proxy in front. */
  proxyPage: boolean;
}

/** A GitHub on its best day. */
export function noGitHubQuirks(): GitHubQuirks {
  return {
    deliveriesLost: false,
    deliveriesDoubled: false,
    deliveriesHeld: false,
    signedWith: "sha256",
    eventsWithoutTimes: false,
    secretScanningDisabled: false,
    codeScanning: "enabled",
    secondaryLimit: undefined,
    primaryLimitUntilS: undefined,
    nullSecuritySeverity: false,
    secretsAlwaysShown: false,
    movedTo: undefined,
    nextPageAt: undefined,
    oddAlerts: [],
    mergeableNullLooks: 0,
    beforeMerge: undefined,
    mergeRefused: undefined,
    mergeCommitsForbidden: false,
    answersLost: 0,
    issuesDisabled: false,
    dispatchAnswer: "details",
    runsListedLate: 0,
    environmentHolds: undefined,
    autoMergesAnyway: false,
    deploymentStarts: "deploy.yml",
    fixedOnlyAfterAnalysis: false,
    proxyPage: false,
  };
}
