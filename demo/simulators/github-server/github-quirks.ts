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
    proxyPage: false,
  };
}
