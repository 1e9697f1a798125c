import { z } from "zod";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { GitHubAlertKind } from "../../core/github-alert-kinds.ts";
import { type AlertContext, gitHubFinding } from "./github-finding.ts";

/** What an event says, as far as it matters here. */
export type GitHubEvent =
  | { readonly kind: "finding"; readonly finding: ReportedSecurityFinding }
  /** Nothing to do. */
  | { readonly kind: "other" }
  /** An event that matters, in a form that cannot be read. */
  | { readonly kind: "invalid"; readonly detail: string };

interface ReadEvent {
  readonly alerts: GitHubAlertKind;
  /** The member with the alert. */
  readonly member: "alert" | "repository_advisory";
  /** What each action means for an alert that does not write its state; other actions mean nothing here. */
  readonly actions: Readonly<Record<string, ReportedSecurityFinding["state"]>>;
}

/** https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const events: Readonly<Record<string, ReadEvent>> = {
  code_scanning_alert: {
    alerts: "code-scanning",
    member: "alert",
    actions: {
      created: "open",
      appeared_in_branch: "open",
      fixed: "fixed",
      reopened: "open",
      reopened_by_user: "open",
      closed_by_user: "dismissed",
    },
  },
  secret_scanning_alert: {
    alerts: "secret-scanning",
    member: "alert",
    actions: { created: "open", validated: "open", publicly_leaked: "open", reopened: "open", resolved: "resolved" },
  },
  dependabot_alert: {
    alerts: "dependabot",
    member: "alert",
    actions: {
      created: "open",
      fixed: "fixed",
      dismissed: "dismissed",
      auto_dismissed: "dismissed",
      reopened: "open",
      auto_reopened: "open",
      reintroduced: "open",
    },
  },
  repository_advisory: { alerts: "advisories", member: "repository_advisory", actions: { reported: "open", published: "open" } },
};

const payloadShape = z.looseObject({
  action: z.string(),
  repository: z.object({
    full_name: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/),
    private: z.boolean().nullish().catch(undefined),
  }),
});

/** Whether an event of this name may say something that matters; the payload of any other needs not be read. */
export function isReadEvent(name: string): boolean {
  return Object.hasOwn(events, name);
}

/** Reads one event. `name`: what `X-GitHub-Event` says. */
export function readGitHubEvent(name: string, payload: unknown): GitHubEvent {
  const event = isReadEvent(name) ? events[name] : undefined;
  if (event === undefined) return { kind: "other" };
  const parsed = payloadShape.safeParse(payload);
  if (!parsed.success) return { kind: "invalid", detail: `The payload of ${name} names no action or no repository.` };
  const { action, repository } = parsed.data;
  const state = Object.hasOwn(event.actions, action) ? event.actions[action] : undefined;
  if (state === undefined) return { kind: "other" };
  const context: AlertContext = { repository: repository.full_name, state, ...(repository.private === false && { isPublic: true }) };
  const finding = gitHubFinding(event.alerts, withLeak(parsed.data[event.member], action), context);
  return finding === undefined
    ? { kind: "invalid", detail: `The payload of ${name} holds no alert that can be read: its number, its kind or every time is missing.` }
    : { kind: "finding", finding };
}

/** That a secret was leaked is the news of this event; the alert in it may be older. */
function withLeak(alert: unknown, action: string): unknown {
  return action === "publicly_leaked" && typeof alert === "object" && alert !== null ? { ...alert, publicly_leaked: true } : alert;
}
