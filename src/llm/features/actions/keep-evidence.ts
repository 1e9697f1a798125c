import { z } from "zod";
import type { Evidence } from "../../../../packages/sdk/src/wire/evidence.ts";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext } from "../../../core/action.ts";
import { sha256 } from "../../../core/json.ts";
import { reachableStore } from "../../../core/reachable-store.ts";
import { featureMeant, noFeature } from "../../findings/which-feature.ts";
import { buildEvidence, isWhole } from "../build-evidence.ts";
import { collectEvidence, type EvidenceSources } from "../collect-evidence.ts";
import type { FeaturePorts } from "../feature-ports.ts";

type Ports = Pick<FeaturePorts, "features" | "evidence"> & EvidenceSources;

/** Keeps what shows what happened, before anything of it is cleaned up. */
export const keepEvidence = defineAction({
  name: "keep-evidence",
  summary:
    "Copies the findings of a feature, the newest tickets of its budgets with their checkpoints and conversations, and the prompts that they used, without secrets, and writes the hash of their manifest into the audit log.",
  parameters: z.strictObject({ feature: featureNameSchema.meta({ description: "Name of one feature, as findings carry it." }) }),
  result: {
    evidence: "id of the evidence",
    feature: "the feature that it is about",
    sealed: "whether what is stored is what the hash in the audit log says",
    sha256: "that hash, of the manifest",
    entries: "how many texts are kept",
    omitted: "how many more there were",
    missing: "what could not be read, one sentence each",
  },
  effect: "keyed",
  risk: "none",
  timeoutMs: 120_000,
  probes: true,
  undoes: false,
  behave({ feature: name }, ports: Ports) {
    async function outputOf(id: string): Promise<ActionOutput> {
      const { store } = ports.evidence;
      const [kept, isSealed] = await Promise.all([store.read(id), store.isSealed(id)]);
      return {
        evidence: id,
        feature: kept?.manifest.feature ?? name,
        sealed: kept !== undefined && isSealed && isWhole(kept),
        sha256: kept?.sha256 ?? "",
        entries: kept?.manifest.entries.length ?? 0,
        omitted: kept?.manifest.omitted ?? 0,
        missing: [...(kept?.manifest.missing ?? [])],
      };
    }

    /** A crash between the two writes at its end records the same hash a second time, which proves no less. */
    async function keep(id: string, context: ActionContext): Promise<void> {
      const { store, audit } = ports.evidence;
      if (await store.isSealed(id)) return;
      const kept = (await store.read(id)) ?? (await store.put(await collect(id, context)));
      await audit.append({
        at: context.clock.now(),
        kind: "evidence_sealed",
        by: `run:${context.runId}`,
        subject: id,
        detail: { feature: kept.manifest.feature, sha256: kept.sha256, entries: kept.manifest.entries.length },
      });
      await store.seal(id);
    }

    async function collect(id: string, context: ActionContext): Promise<Evidence> {
      const meant = featureMeant(name, ports.features, context);
      const feature = meant === noFeature ? undefined : meant;
      const now = context.clock.now();
      // Findings carry the name of the alert, also when a person has named another feature.
      const collected = await collectEvidence({ name, feature, now }, ports);
      return buildEvidence({ id, feature: feature?.name ?? name, runId: context.runId, at: now }, collected);
    }

    return {
      async plan() {
        return {
          summary: `Keep the findings, tickets, conversations and prompts of feature ${name} as evidence, and seal them`,
          targets: [`feature/${name}`],
          changes: [],
          reversible: false,
          data: null,
        };
      },
      async run(_plan, context) {
        const id = evidenceIdOf(context);
        await reachable(keep(id, context));
        return { kind: "done", output: await reachable(outputOf(id)) };
      },
      async probe(_plan, context) {
        const output = await reachable(outputOf(evidenceIdOf(context)));
        return output["sealed"] === true ? { kind: "applied", output } : { kind: "not_applied" };
      },
    };
  },
});

function evidenceIdOf({ idempotencyKey }: Pick<ActionContext, "idempotencyKey">): string {
  return `evidence-${sha256(idempotencyKey).slice(0, 24)}`;
}

async function reachable<Value>(call: Promise<Value>): Promise<Value> {
  return reachableStore(call, { message: "The store of evidence does not answer.", applied: "unknown" });
}
