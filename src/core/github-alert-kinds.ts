/** The kinds of security alerts of GitHub, as `github.alerts` in runbookd.yml and the names of their sources write them. */
export const gitHubAlertKinds = ["code-scanning", "secret-scanning", "dependabot", "advisories"] as const;

/** See {@link gitHubAlertKinds}. */
export type GitHubAlertKind = (typeof gitHubAlertKinds)[number];
