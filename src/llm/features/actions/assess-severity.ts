import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { type SecurityFinding, type SeverityVerdict, severityClasses } from "../../../../packages/sdk/src/wire/security-findings.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext } from "../../../core/action.ts";
import { StepFailure } from "../../../core/failure.ts";
import { reachableStore } from "../../../core/reachable-store.ts";
import type { FeaturePorts } from "../feature-ports.ts";
import { maxFindings } from "../read-containment.ts";

/** How often a finding that changes while it is assessed is assessed anew. */
const maxTries = 3;

type Ports = Pick<FeaturePorts, "features" | "securityFindings" | "assess">;

/** Writes a verdict with its reasons into every open finding of a feature. */
export const assessSeverityAction = defineAction({
  name: "assess-severity",
  summary:
    "Judges every open finding of a feature by what is known of it, and writes the verdict with its reasons into the finding. What is not known never makes a finding less urgent.",
  parameters: z.strictObject({ feature: featureNameSchema.meta({ description: "Name of one feature, as findings carry it." }) }),
  result: {
    feature: "name of the feature",
    class: "the gravest class among its open findings: critical, high, medium, low; none without an open finding",
    contain: "whether a finding calls for switching the feature off",
    reasons: "sentences that led to the gravest class",
    unknown: "facts that were not known of that finding",
    findings: "open findings",
    assessed: "of these, how many have the verdict of this step",
    known: "whether runbookd.yml describes the feature",
    blind: "sources of findings that cannot be read now",
  },
  effect: "set",
  risk: "none",
  timeoutMs: 60_000,
  probes: true,
  undoes: false,
  behave({ feature: name }, ports: Ports) {
    const feature = ports.features.find((one) => one.name === name);

    async function assessAll({ runId }: Pick<ActionContext, "runId">): Promise<ActionOutput> {
      const [open, sources] = await Promise.all([readOpen(name, ports), ports.securityFindings.sources()]);
      const verdicts: SeverityVerdict[] = [];
      for (const finding of open) {
        const verdict = await assess(finding, runId);
        if (verdict !== undefined) verdicts.push(verdict);
      }
      const [worst] = verdicts.toSorted((a, b) => rankOf(a) - rankOf(b));
      return {
        feature: name,
        class: worst?.class ?? "none",
        contain: verdicts.some(({ contain }) => contain),
        reasons: worst?.reasons.slice(0, 20) ?? [],
        unknown: worst?.unknown.slice(0, 20) ?? [],
        findings: open.length,
        assessed: verdicts.length,
        known: feature !== undefined,
        blind: sources.filter(({ up }) => !up).map(({ source }) => source),
      };
    }

    /** Undefined: it was closed while it was assessed, or it changes too often to be. */
    async function assess(finding: SecurityFinding, runId: string): Promise<SeverityVerdict | undefined> {
      let current: SecurityFinding | undefined = finding;
      for (let tries = 0; tries < maxTries && current?.state === "open"; tries += 1) {
        const verdict = await ports.assess(current, feature);
        if (await ports.securityFindings.judge({ finding: current, verdict, runId })) return verdict;
        current = await ports.securityFindings.read(finding.id);
      }
      return undefined;
    }

    return {
      async plan() {
        const open = await readOpen(name, ports);
        return {
          summary: `Assess ${open.length} open ${open.length === 1 ? "finding" : "findings"} of feature ${name}`,
          targets: [`feature/${name}`],
          changes: [],
          reversible: true,
          data: null,
        };
      },
      run: async (_plan, context) => ({ kind: "done", output: await reachable(assessAll(context)) }),
      // Assessing again writes the same verdicts.
      probe: async (_plan, context) => ({ kind: "applied", output: await reachable(assessAll(context)) }),
    };
  },
});

async function readOpen(name: string, { securityFindings }: Ports): Promise<readonly SecurityFinding[]> {
  const findings = await reachable(securityFindings.list({ feature: name, state: "open" }, maxFindings + 1));
  if (findings.length <= maxFindings) return findings;
  const message = `Feature ${name} has more than ${maxFindings} open findings; close those that are done at their sources.`;
  throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}

async function reachable<Value>(reading: Promise<Value>): Promise<Value> {
  return reachableStore(reading, { message: "The findings cannot be read or written now.", applied: "unknown" });
}

function rankOf({ class: of }: SeverityVerdict): number {
  return severityClasses.indexOf(of);
}
