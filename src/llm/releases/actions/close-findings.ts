import { z } from "zod";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import type { SecurityFinding } from "../../../../packages/sdk/src/wire/security-findings.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import type { Instant } from "../../../core/clock.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { Feature } from "../../../core/feature.ts";
import { shortLine } from "../../../core/one-line.ts";
import { reachableStore } from "../../../core/reachable-store.ts";
import type { SecurityFindingStore } from "../../findings/security-finding-store.ts";
import { featureParameter } from "../release-parameters.ts";

const maxFindings = 1000;
const maxNamed = 10;
/** A finding that changed so long before the run was accepted is one that the run is about. */
const beforeMs = 10 * 60_000;
const rotated = "rotated";

const lastSchema = z.object({ keys_rotated: z.boolean() });

interface Ports {
  readonly features: readonly Feature[];
  readonly securityFindings: Pick<SecurityFindingStore, "list" | "sources">;
}

/** Looks whether the sources of a feature's findings call them fixed. It changes nothing: only a source closes a finding. */
export const closeFindings = defineAction({
  name: "close-findings",
  summary:
    "Counts the findings of a feature that this run is about by what their own sources say of them. A finding that was dismissed is not fixed. Where a secret was exposed, a person says that it was rotated.",
  parameters: z.strictObject({ feature: featureParameter }),
  result: {
    feature: "name of the feature",
    open: "findings that are open, at whatever time they came",
    fixed: "findings that their sources call fixed",
    dismissed: "findings that a person has dismissed at their sources, which shows no fix",
    resolved: "findings that their sources have closed otherwise, such as a revoked secret",
    waiting: `titles of the open ones, at most ${maxNamed}`,
    not_fixed: `titles of the dismissed ones, at most ${maxNamed}`,
    blind: "sources that cannot be read now, so that what they know may be missing",
    keys_rotated: "whether a person said that the exposed secrets were rotated; true also when none was exposed",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 30_000,
  probes: true,
  undoes: false,
  behave({ feature: name }, { securityFindings }: Ports) {
    return {
      async plan() {
        return {
          summary: `Look what the sources say of the findings of feature ${name}`,
          targets: [`feature/${name}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      async run(_plan, context): Promise<ActionResult> {
        const findings = await readFindings(context);
        const secrets = findings.filter(({ kind }) => kind === "secret");
        if (secrets.length > 0 && context.answer !== rotated) return askForRotation(secrets);
        return { kind: "done", output: await outputOf(findings, true) };
      },
      async probe(_plan, context) {
        const last = lastSchema.safeParse(context.results[context.stepId]).data;
        return { kind: "applied", output: await outputOf(await readFindings(context), last?.keys_rotated ?? false) };
      },
    };

    async function readFindings({ runId, acceptedAt }: ActionContext): Promise<readonly SecurityFinding[]> {
      const findings = await reachable(securityFindings.list({ feature: name }, maxFindings + 1));
      if (findings.length > maxFindings) {
        const message = `Feature ${name} has more than ${maxFindings} findings, so that they cannot all be looked at.`;
        throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
      }
      return findings.filter((finding) => isConcerned(finding, runId, acceptedAt));
    }

    async function outputOf(findings: readonly SecurityFinding[], keysRotated: boolean): Promise<ActionOutput> {
      const sources = await reachable(securityFindings.sources());
      const of = (state: SecurityFinding["state"]) => findings.filter((finding) => finding.state === state);
      const titles = (some: readonly SecurityFinding[]) => some.slice(0, maxNamed).map(({ title }) => shortLine(title, 150));
      const [open, dismissed] = [of("open"), of("dismissed")];
      return {
        feature: name,
        open: open.length,
        fixed: of("fixed").length,
        dismissed: dismissed.length,
        resolved: of("resolved").length,
        waiting: titles(open),
        not_fixed: titles(dismissed),
        blind: sources.filter(({ up }) => !up).map(({ source }) => source),
        keys_rotated: keysRotated,
      };
    }
  },
});

/** Whether a run that was accepted at this time is about the finding. */
function isConcerned({ state, runId: workedOnBy, updatedAt }: SecurityFinding, runId: string, acceptedAt: Instant): boolean {
  return state === "open" || workedOnBy === runId || updatedAt >= acceptedAt - beforeMs;
}

function askForRotation(secrets: readonly SecurityFinding[]): ActionResult {
  const named = secrets
    .slice(0, maxNamed)
    .map(({ title, secret }) => `${shortLine(title, 100)}${secret?.last4 === undefined ? "" : ` (…${secret.last4})`}`);
  const more = secrets.length > maxNamed ? ` and ${secrets.length - maxNamed} more` : "";
  return {
    kind: "ask",
    question: `${secrets.length === 1 ? "A secret was" : `${secrets.length} secrets were`} exposed: ${named.join("; ")}${more}. Give everything that uses them new ones, delete the old ones, and answer "${rotated}".`,
    answers: [rotated],
    progress: null,
  };
}

async function reachable<Value>(reading: Promise<Value>): Promise<Value> {
  return reachableStore(reading, { message: "The store of findings does not answer.", applied: "no" });
}
