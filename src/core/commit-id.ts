/** Full id of a commit: SHA-1 or SHA-256, in lower case. */
export const commitIdPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether this is the full id of a commit. A shorter one may come to mean another commit. */
export function isCommitId(text: string): boolean {
  return commitIdPattern.test(text);
}

/** The first twelve digits of a commit's id, for people. */
export function shortCommit(sha: string): string {
  return sha.slice(0, 12);
}
