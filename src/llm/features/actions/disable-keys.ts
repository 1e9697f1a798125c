import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import { ensureFailure, StepFailure } from "../../../core/failure.ts";
import { type KeyReference, keySystems } from "../../../core/feature.ts";
import { shortLine } from "../../../core/one-line.ts";
import { askWhichFeature, featureMeant, noFeature } from "../../findings/which-feature.ts";
import { decideExposedKeys } from "../decide-exposed-keys.ts";
import type { FeaturePorts } from "../feature-ports.ts";
import { maxFindings } from "../read-containment.ts";

const keySchema = z.object({ system: z.enum(keySystems), id: z.string() });
const dataSchema = z.object({
  kind: z.enum(["none", "disable", "ask"]),
  reason: z.string(),
  sentence: z.string(),
  keys: z.array(keySchema),
  unmatched: z.array(z.string()),
});
const progressSchema = z.object({ checks: z.number(), again: z.number(), quiet: z.boolean() });
type Planned = z.output<typeof dataSchema>;
type Progress = z.output<typeof progressSchema>;

/** Caches of a gateway hold a key for a minute, and may write it back from there: a block that lasts longer than one of them holds. */
const cacheMs = 60_000;
/** Gateways that keep keys in caches of their own. */
const cachedSystems: readonly KeyReference["system"][] = ["litellm"];
/** Looks after the first one before what is seen counts as the result. */
const maxChecks = 5;

type Ports = Pick<FeaturePorts, "features" | "securityFindings" | "keySwitches">;

/** Disables the keys that findings of a feature expose, again as long as a gateway writes them back, and shows that they are refused. */
export const disableKeys = defineAction({
  name: "disable-keys",
  summary:
    "Disables the keys of a feature that a finding exposes, at their provider or gateway, and again every 60 s while a gateway's cache writes them back. It shows that each is refused. Rotating keys is a person's work.",
  parameters: z.strictObject({
    feature: featureNameSchema.meta({
      description: "Name of one feature of runbookd.yml; a person is asked when there is none of this name.",
    }),
  }),
  result: {
    needed: "whether a key is exposed, or that cannot be seen",
    reason: "exposed, findings_unreadable or unmatched; nothing_exposed or none_meant when it is not needed",
    sentence: "the reason for people",
    feature: "the feature whose keys were looked at; none when a person named none",
    asked_for: "the name that the step was given",
    keys: "how many keys are to be disabled",
    disabled: "of these, how many their systems show as disabled",
    tried: "of these, how many were tried with a request",
    again: "how often a key had come back and was disabled again",
    refused: "whether each key is refused: by a trial request, or as its system shows it where no request can be tried",
    unmatched: "exposed secrets that are none of the keys that runbookd.yml names",
    gaps: "what is not shown, one sentence each",
  },
  effect: "set",
  risk: "lowers",
  timeoutMs: 60_000,
  probes: true,
  undoes: false,
  behave({ feature: name }, ports: Ports) {
    return {
      async plan(context) {
        const meant = featureMeant(name, ports.features, context);
        const feature = meant === noFeature ? undefined : meant;
        const findings = await ports.securityFindings.list({ feature: name, state: "open" }, maxFindings + 1).catch(() => undefined);
        const readable = findings !== undefined && findings.length <= maxFindings ? findings : undefined;
        const decided = decideExposedKeys({ name, feature, features: ports.features, findings: readable });
        const planned: Planned = {
          ...decided,
          sentence: shortLine(decided.sentence, 400),
          keys: [...decided.keys],
          unmatched: [...decided.unmatched],
        };
        return {
          summary: planned.sentence,
          targets: [`feature/${feature?.name ?? name}`],
          changes: await Promise.all(
            planned.keys.map(async (key) => ({
              target: `key/${nameOfKey(key)}`,
              field: "state",
              before: (await ports.keySwitches[key.system].read(key.id).catch(() => undefined))?.state ?? "unknown",
              after: "disabled",
            })),
          ),
          reversible: false,
          data: planned,
        };
      },
      async run(plan, context): Promise<ActionResult> {
        const planned = dataSchema.parse(plan.data);
        const target = targetOf(planned, context);
        if (target.kind === "done") return target;
        if (target.kind === "ask") return askWhichFeature(name, ports.features, planned.sentence);
        const before: Progress = progressSchema.safeParse(context.progress).data ?? { checks: 0, again: 0, quiet: false };
        const cameBack = await disableAll(target.keys, before.checks === 0);
        const isCached = target.keys.some(({ system }) => cachedSystems.includes(system));
        const progress: Progress = {
          checks: before.checks + 1,
          again: before.again + cameBack,
          quiet: before.checks > 0 && cameBack === 0,
        };
        // A gateway's caches have to be over once without writing a key back.
        if (isCached && !progress.quiet && progress.checks <= maxChecks) return { kind: "continue", afterMs: cacheMs, progress };
        return { kind: "done", output: await outputOf(target, planned, progress.again) };
      },
      async probe(plan, context) {
        const planned = dataSchema.parse(plan.data);
        const target = targetOf(planned, context);
        if (target.kind === "done") return { kind: "applied", output: target.output };
        if (target.kind === "ask") return { kind: "unknown", reason: `which feature "${name}" means was not answered` };
        const again = z.object({ again: z.number() }).safeParse(context.results[context.stepId]).data?.again ?? 0;
        return { kind: "applied", output: await outputOf(target, planned, again) };
      },
    };

    type Target = { readonly kind: "keys"; readonly feature: string; readonly keys: readonly KeyReference[] };

    function targetOf(
      planned: Planned,
      context: ActionContext,
    ): Target | { readonly kind: "ask" } | Extract<ActionResult, { kind: "done" }> {
      const nothing = { keys: 0, disabled: 0, tried: 0, again: 0, refused: false, gaps: [] };
      const { reason, sentence, unmatched } = planned;
      if (planned.kind === "none")
        return { kind: "done", output: { needed: false, reason, sentence, feature: name, asked_for: name, unmatched, ...nothing } };
      if (planned.kind === "disable") return { kind: "keys", feature: name, keys: planned.keys };
      const meant = featureMeant(name, ports.features, context);
      if (meant === undefined) return { kind: "ask" };
      if (meant !== noFeature) return { kind: "keys", feature: meant.name, keys: meant.keys };
      const said = "A person said that it is none of the features that runbookd.yml describes.";
      return {
        kind: "done",
        output: { needed: false, reason: "none_meant", sentence: said, feature: noFeature, asked_for: name, unmatched, ...nothing },
      };
    }

    /** Disables every key that is not; returns how many had come back since the last look. One that fails does not keep the others from being disabled. */
    async function disableAll(keys: readonly KeyReference[], isFirst: boolean): Promise<number> {
      let cameBack = 0;
      const failures: string[] = [];
      for (const key of keys) {
        try {
          const system = ports.keySwitches[key.system];
          const reading = await system.read(key.id);
          if (reading === undefined) throw refused("its system has no such key.");
          if (reading.state === "disabled" && !isFirst) continue;
          if (reading.state === "active" && !isFirst) cameBack += 1;
          if (!(await system.disable(key.id))) throw refused("its system has no such key.");
        } catch (error) {
          failures.push(`${nameOfKey(key)}: ${ensureFailure(error).message}`);
        }
      }
      if (failures.length === 0) return cameBack;
      const message = shortLine(`${keys.length - failures.length} of ${keys.length} keys are disabled. ${failures.join(" ")}`, 500);
      throw new StepFailure({ reason: "refused_by_target", message, applied: failures.length < keys.length ? "unknown" : "no" });
    }

    async function outputOf({ feature, keys }: Target, { reason, sentence, unmatched }: Planned, again: number): Promise<ActionOutput> {
      const proofs = await Promise.all(keys.map(async (key) => proveKey(key)));
      const gaps = [
        ...proofs.flatMap(({ gap }) => gap ?? []),
        ...unmatched.map((secret) => `The exposed secret "${secret}" is none of the keys that runbookd.yml names for ${feature}.`),
        ...(keys.length === 0 && unmatched.length === 0 ? [`runbookd.yml names no key of ${feature}.`] : []),
      ];
      return {
        needed: true,
        reason,
        sentence,
        feature,
        asked_for: name,
        keys: keys.length,
        disabled: proofs.filter(({ disabled }) => disabled).length,
        tried: proofs.filter(({ tried }) => tried).length,
        again,
        refused: keys.length > 0 && unmatched.length === 0 && proofs.every((proof) => proof.gap === undefined),
        unmatched,
        gaps: gaps.slice(0, 20),
      };
    }

    async function proveKey(key: KeyReference): Promise<{ readonly disabled: boolean; readonly tried: boolean; readonly gap?: string }> {
      try {
        const system = ports.keySwitches[key.system];
        const [reading, isRefused] = await Promise.all([system.read(key.id), system.isRefused(key.id)]);
        const disabled = reading?.state === "disabled";
        const tried = isRefused !== undefined;
        if (!disabled) return { disabled, tried, gap: `Key ${nameOfKey(key)} is not disabled.` };
        if (isRefused === false) return { disabled, tried, gap: `A request with key ${nameOfKey(key)} is still served.` };
        return { disabled, tried };
      } catch (error) {
        return {
          disabled: false,
          tried: false,
          gap: `Key ${nameOfKey(key)} cannot be read: ${shortLine(ensureFailure(error).message, 200)}`,
        };
      }
    }
  },
});

function nameOfKey({ system, id }: KeyReference): string {
  return `${system}/${id}`;
}

function refused(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
