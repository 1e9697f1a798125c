import { z } from "zod";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { largestPayload } from "./import-row.ts";

const label = z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)]);

/** What is read of an issue as `gh issue list --json number,title,body,labels,url` or the REST list gives it; the rest is passed over. */
const issueSchema = z.looseObject({
  number: z.int({ error: "a number; ask for it with --json number" }).min(1, "a number from 1"),
  title: z.string({ error: "a text; ask for it with --json title" }),
  body: z.string({ error: "a text" }).nullish(),
  url: z.string().optional(),
  html_url: z.string().optional(),
  labels: z.array(label, { error: "a list of labels" }).optional(),
  // REST lists pull requests among the issues and marks them so.
  pull_request: z.unknown().optional(),
});

/** An issue as a row of an import, `pull request`, or what is wrong with it by member. */
export type GitHubIssue =
  | { readonly kind: "row"; readonly values: { readonly [name: string]: Json } }
  | { readonly kind: "pull request" }
  | { readonly kind: "wrong"; readonly issues: readonly { readonly member: string; readonly message: string }[] };

/** Longest body that travels with the ticket; a longer one is left to the issue's address, and the ticket says so. */
const maxBody = 12_000;

/** What a row may be given beside what the issue says. */
const roomForDefaults = 200;

/** Reads one issue. Without an address its repository is `repo`. A label `kind/bug` or `kind:bug` names the kind. */
export function readGitHubIssue(value: Json, repo: string | undefined): GitHubIssue {
  const parsed = issueSchema.safeParse(value);
  if (!parsed.success) {
    return { kind: "wrong", issues: parsed.error.issues.map(({ path, message }) => ({ member: String(path[0] ?? ""), message })) };
  }
  const { number, title, body, url, html_url, labels = [], pull_request } = parsed.data;
  if (pull_request !== undefined && pull_request !== null) return { kind: "pull request" };
  // REST's `url` is the interface's own; the page is what names the repository.
  const page = html_url ?? url ?? "";
  const named = /^https?:\/\/[^/]+\/(?:repos\/)?([\w.-]+\/[\w.-]+)\/issues\/\d+$/.exec(page)?.[1] ?? repo;
  if (named === undefined) {
    return {
      kind: "wrong",
      issues: [{ member: "number", message: "an issue whose repository is known: ask for it with --json url, or name the repository" }],
    };
  }
  const kind = labels.flatMap((name) => /^kind[/:]\s*([a-z0-9-]{1,40})$/.exec(name)?.[1] ?? [])[0];
  const values = {
    ref: `${named}#${number}`,
    repo: named,
    number,
    title,
    labels,
    ...(page === "" ? {} : { url: page }),
    ...(kind === undefined ? {} : { kind }),
  };
  return { kind: "row", values: { ...values, ...bodyOf(body ?? "", values) } };
}

/** In JSON a body may be several times as long as it is: what counts is what the ticket carries. */
function bodyOf(body: string, others: Json): { readonly [name: string]: Json } {
  const room = largestPayload - JSON.stringify(others).length - roomForDefaults;
  return body.length > maxBody || JSON.stringify(body).length > room ? { body_omitted: true } : { body };
}
