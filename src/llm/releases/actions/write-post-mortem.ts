import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext } from "../../../core/action.ts";
import { ensureFailure } from "../../../core/failure.ts";
import type { Feature } from "../../../core/feature.ts";
import type { Journal } from "../../../core/journal.ts";
import { shortLine } from "../../../core/one-line.ts";
import { createFindingReport } from "../../findings/finding-report.ts";
import type { SecurityFindingStore } from "../../findings/security-finding-store.ts";
import { featureMeant, noFeature } from "../../findings/which-feature.ts";
import type { CodeHosts } from "../code-host.ts";
import { createPostMortem, type PostMortem } from "../post-mortem.ts";
import type { PostMortemFiles } from "../post-mortem-files.ts";
import { featureParameter } from "../release-parameters.ts";
import { renderPostMortem } from "../render-post-mortem.ts";

/** Findings of a feature that a post-mortem names. */
const maxFindings = 200;
const maxGaps = 20;
/** A finding that came so long before the run is one of its incident. */
const beforeMs = 7 * 86_400_000;

/** Where a post-mortem is read from and written to. */
export interface PostMortemPorts {
  /** As runbookd.yml describes them. */
  readonly features: readonly Feature[];
  readonly codeHosts: CodeHosts;
  readonly securityFindings: Pick<SecurityFindingStore, "list" | "sources" | "events">;
  /** The record of a run; undefined: there is none that can be read. */
  readonly readJournal: (runId: string) => Promise<Journal | undefined>;
  readonly postMortems: PostMortemFiles;
}

/** Writes down what happened, what was not shown, and until when an authority must be told. */
export const writePostMortem = defineAction({
  name: "write-post-mortem",
  summary:
    "Writes a draft of the post-mortem from the journal of the run and the findings: the timeline, what was not shown, and the 72-hour clock; as an issue where the feature's code is kept, else as a file.",
  parameters: z.strictObject({ feature: featureParameter }),
  result: {
    feature: "name of the feature",
    id: "id of the issue, or path of the file",
    url: "page of the issue for people, or empty",
    gaps: "what was not shown, one sentence each",
    report_until: "when the 72 hours end that begin with the first finding, as a date; empty without a finding",
    reason: "where it was written, and why not at the code host when it was not",
  },
  effect: "keyed",
  // An issue is seen by many, so that a run which only observes opens none.
  risk: "raises",
  targetsOf: ({ feature }) => (typeof feature === "string" ? [`feature/${feature}`] : []),
  timeoutMs: 60_000,
  probes: false,
  undoes: false,
  behave({ feature: name }, ports: PostMortemPorts) {
    return {
      async plan(context) {
        const meant = featureMeant(name, ports.features, context);
        const feature = meant === undefined || meant === noFeature ? name : meant.name;
        return {
          summary: `Write the post-mortem of the incident in ${feature}`,
          targets: [`feature/${feature}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context) {
        const postMortem = await collect(context);
        return { kind: "done", output: await write(postMortem, context) };
      },
    };

    async function collect({ runId, clock, acceptedAt }: ActionContext): Promise<PostMortem> {
      const at = clock.now();
      // What cannot be read is named as missing in what is written.
      const [journal, findings] = await Promise.all([
        ports.readJournal(runId).catch(() => undefined),
        readReport(acceptedAt - beforeMs, at).catch(() => undefined),
      ]);
      return createPostMortem({ runId, feature: name, at, journal, findings });
    }

    async function readReport(since: number, at: number) {
      const { securityFindings } = ports;
      const [listed, sources] = await Promise.all([securityFindings.list({ feature: name }, maxFindings), securityFindings.sources()]);
      const all = await Promise.all(listed.map(async (finding) => ({ finding, events: await securityFindings.events(finding.id) })));
      return createFindingReport(all, { at, since, feature: name, sources });
    }

    async function write(postMortem: PostMortem, context: ActionContext): Promise<ActionOutput> {
      const text = renderPostMortem(postMortem);
      const until = postMortem.findings?.reportUntil;
      const fields = {
        feature: name,
        gaps: postMortem.gaps.slice(0, maxGaps).map((gap) => shortLine(gap, 300)),
        report_until: until === undefined || until === null ? "" : new Date(until).toISOString(),
      };
      const issue = await openIssue(text, context);
      if (issue.kind === "opened") return { ...fields, id: issue.id, url: issue.url, reason: "It is an issue where the code is kept." };
      const place = await ports.postMortems.write(`post-mortem-${context.runId}`, text);
      return { ...fields, id: place, url: "", reason: `It is a file on the disk of a worker: ${issue.reason}` };
    }

    /** The marker is the run's, so that a later attempt answers the same issue. */
    async function openIssue(
      body: string,
      context: ActionContext,
    ): Promise<
      { readonly kind: "opened"; readonly id: string; readonly url: string } | { readonly kind: "not_opened"; readonly reason: string }
    > {
      const meant = featureMeant(name, ports.features, context);
      const { repository, codeHost } = meant === undefined || meant === noFeature ? {} : meant;
      const host = codeHost === undefined ? undefined : ports.codeHosts[codeHost];
      if (repository === undefined || host === undefined)
        return { kind: "not_opened", reason: "runbookd.yml does not say where its code is kept." };
      const { runId, signal } = context;
      const key = `runbookd-post-mortem-${runId}`;
      try {
        const issue = await host.openIssue({ repository, key, title: `Security incident in ${name}`, body, signal });
        return { kind: "opened", id: issue.id, url: issue.url ?? "" };
      } catch (error) {
        const failure = ensureFailure(error);
        // Its outcome is unknown: written twice would be worse than tried again with the same marker.
        if (failure.applied === "unknown") throw error;
        return { kind: "not_opened", reason: shortLine(failure.message, 300) };
      }
    }
  },
});
