import { z } from "zod";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { GitHubAlertKind } from "../../core/github-alert-kinds.ts";
import { type FindingListing, type SecuritySource, SourceUnreadable } from "../../llm/findings/security-source.ts";
import { type GitHubClient, GitHubRefusal } from "./create-github-client.ts";
import { type AlertContext, gitHubFinding, gitHubSourceName } from "./github-finding.ts";

/** What is listed. */
export interface GitHubWatch {
  /** `owner/name`; an empty list is refused, because a source that reads nothing would look like one without findings. */
  readonly repositories: readonly string[];
  readonly kinds: readonly GitHubAlertKind[];
}

interface KindOfList {
  /** Below `/repos/{owner}/{name}`. */
  readonly path: string;
  readonly query: string;
  /** The permission of a fine-grained token. */
  readonly permission: string;
  readonly what: string;
}

const lists: Readonly<Record<GitHubAlertKind, KindOfList>> = {
  "code-scanning": {
    path: "code-scanning/alerts",
    query: "",
    permission: "Code scanning alerts: read",
    what: "code scanning",
  },
  "secret-scanning": {
    path: "secret-scanning/alerts",
    // Without it GitHub sends every secret in plain text.
    query: "&hide_secret=true",
    permission: "Secret scanning alerts: read",
    what: "secret scanning",
  },
  dependabot: { path: "dependabot/alerts", query: "", permission: "Dependabot alerts: read", what: "Dependabot" },
  advisories: {
    path: "security-advisories",
    query: "",
    permission: "Repository security advisories: read",
    what: "the list of security advisories",
  },
};

const maxReasons = 5;

/** One source for each kind of alert; it has seen everything when it has seen every repository. Throws for an empty list. */
export function createGitHubSources(client: GitHubClient, { repositories, kinds }: GitHubWatch): readonly SecuritySource[] {
  if (repositories.length === 0 || kinds.length === 0) throw new Error("github must name at least one repository and one kind of alerts.");
  return kinds.map((kind) => {
    // By repository: the first page as it was when everything of it had been taken.
    const etags = new Map<string, string>();
    return {
      name: gitHubSourceName(kind),
      async *list(listing) {
        const reasons: string[] = [];
        for (const repository of repositories) {
          try {
            yield* listRepository(client, { kind, repository, etags }, listing);
          } catch (error) {
            listing.signal.throwIfAborted();
            if (!(error instanceof GitHubRefusal) && !(error instanceof SourceUnreadable)) throw error;
            reasons.push(`${repository}: ${error instanceof GitHubRefusal ? reasonOf(error, lists[kind]) : error.message}`);
          }
        }
        if (reasons.length === 0) return;
        const more = reasons.length > maxReasons ? ` (and ${reasons.length - maxReasons} more repositories)` : "";
        throw new SourceUnreadable(`${reasons.slice(0, maxReasons).join(" ")}${more}`);
      },
    };
  });
}

interface Listed {
  readonly kind: GitHubAlertKind;
  readonly repository: string;
  readonly etags: Map<string, string>;
}

/**
 * The alerts of one repository. Changes are read newest first up to the instant that is asked for. A whole listing goes by creation, oldest first: in any other
 * order an alert that changes during the listing moves the others to pages that were read already.
 */
async function* listRepository(
  client: GitHubClient,
  { kind, repository, etags }: Listed,
  { since, whole, signal }: FindingListing,
): AsyncIterable<ReportedSecurityFinding> {
  const { path, query } = lists[kind];
  const context = await contextOf(client, { kind, repository }, signal);
  const order = whole ? "sort=created&direction=asc" : "sort=updated&direction=desc";
  const unreadable: string[] = [];
  let first: string | undefined;
  let isFirst = true;
  const address = `/repos/${repository}/${path}?per_page=100&${order}${query}`;
  pages: for await (const page of client.pages({ path: address, etag: whole ? undefined : etags.get(repository), signal })) {
    if (isFirst && !whole) first = page.etag;
    isFirst = false;
    for (const alert of page.items) {
      const finding = gitHubFinding(kind, alert, context);
      if (finding === undefined) unreadable.push(nameOf(alert));
      else if (finding.updatedAt >= since || (whole && finding.state === "open")) yield finding;
      else if (!whole) break pages;
    }
  }
  if (unreadable.length > 0)
    throw new SourceUnreadable(`${unreadable.length} of its alerts cannot be read (${unreadable.slice(0, 3).join(", ")}).`);
  // Only now has everything been reported: a listing that breaks off is read again.
  if (first !== undefined) etags.set(repository, first);
}

const repositoryShape = z.object({ private: z.boolean() });

/** A secret in a repository that everybody reads is public; lists of alerts do not say so. */
async function contextOf(client: GitHubClient, { kind, repository }: Omit<Listed, "etags">, signal: AbortSignal): Promise<AlertContext> {
  if (kind !== "secret-scanning") return { repository };
  const parsed = repositoryShape.safeParse(await client.read(`/repos/${repository}`, signal));
  return { repository, ...(parsed.success && !parsed.data.private && { isPublic: true }) };
}

const namedShape = z.object({ number: z.int() }).or(z.object({ ghsa_id: z.string().regex(/^[\w-]{1,40}$/) }));

function nameOf(alert: unknown): string {
  const named = namedShape.safeParse(alert);
  if (!named.success) return "one without a number";
  return "number" in named.data ? `number ${named.data.number}` : named.data.ghsa_id;
}

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Why a repository could not be read, and what to do about it. */
function reasonOf({ message, refusal }: GitHubRefusal, { permission, what }: KindOfList): string {
  if (refusal.kind !== "status") return message;
  const { status, words } = refusal;
  const said = words === "" ? "" : ` GitHub says: ${words.replace(/\.?$/, ".")}`;
  if (status === 401) return `GitHub refuses the token (401); renew GITHUB_TOKEN.${said}`;
  if (redirects.includes(status)) return `It was renamed or moved (${status}); write its present name into github.repositories.`;
  if (status === 403)
    return `GitHub does not let us read ${what} (403): it is not enabled there, or the token lacks "${permission}".${said}`;
  if (status === 404)
    return `GitHub finds no ${what} there (404): it is disabled, the repository does not exist, or the token lacks "${permission}".${said}`;
  return `GitHub answered ${status} for ${what}.${said}`;
}
