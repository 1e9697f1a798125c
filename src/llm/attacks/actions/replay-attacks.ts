import { z } from "zod";
import { featureNameSchema } from "../../../../packages/sdk/src/wire/flags.ts";
import { jsonSchema } from "../../../../packages/sdk/src/wire/json.ts";
import type { ActionOutput } from "../../../../packages/sdk/src/wire/plans.ts";
import { defineAction } from "../../../actions/define-action.ts";
import type { ActionContext, ActionResult } from "../../../core/action.ts";
import { hourMs } from "../../../core/duration.ts";
import { StepFailure } from "../../../core/failure.ts";
import type { Feature } from "../../../core/feature.ts";
import { sha256 } from "../../../core/json.ts";
import { reachableStore } from "../../../core/reachable-store.ts";
import { askWhichFeature, featureMeant, noFeature } from "../../findings/which-feature.ts";
import type { AttackCorpora, AttackCorpus } from "../attack.ts";
import { attackRateBound } from "../attack-bound.ts";
import type { AttackReplay, AttackReplayStore } from "../attack-replay.ts";
import type { AttackedVersion, AttackRunner } from "../attack-runner.ts";
import { carryOutReplay } from "../carry-out-replay.ts";
import { describeReplay } from "../describe-replay.ts";

/** What replaying attacks acts on. */
export interface AttackPorts {
  /** As runbookd.yml describes them. */
  readonly features: readonly Feature[];
  readonly attackCorpora: AttackCorpora;
  readonly attackRunner: AttackRunner;
  readonly attackReplays: AttackReplayStore;
}

const plannedSchema = z.object({ corpus: z.string() }).nullable();
const progressSchema = z.object({ headline: z.string(), sentence: z.string(), work: jsonSchema });
const deployed = "deployed";
/** Rows of attacks in the result: those that worked come first. */
const maxRows = 20;

/** Sends the recorded attacks of a feature to an isolated instance of one version, and judges what they did. */
export const replayAttacks = defineAction({
  name: "replay-attacks",
  summary:
    "Sends the recorded attacks of a feature to an isolated instance of what is deployed, or of one commit, and says how many worked and what rate is still possible. A commit also gets harmless requests, which it must answer as well as what is deployed.",
  parameters: z.strictObject({
    feature: featureNameSchema.meta({
      description: "Name of one feature of runbookd.yml; a person is asked when there is none of this name.",
    }),
    at: z
      .string()
      .regex(/^(?:deployed|[0-9a-f]{40}|[0-9a-f]{64})$/, `must be ${deployed}, or the full id of a commit`)
      .default(deployed)
      .meta({ description: "Which version is attacked: deployed, or the full id of one commit." }),
    tries: z
      .int()
      .min(1)
      .max(5000)
      .default(60)
      .meta({ description: "Tries, spread over the attacks of the corpus and their variants; each attack gets one at least." }),
    harmless: z
      .int()
      .min(0)
      .max(2000)
      .default(40)
      .meta({ description: "Harmless requests to a commit and to what is deployed; 29 equal pairs show a fall of less than 10 %." }),
  }),
  result: {
    hits: "tries that worked",
    tries: "tries that could be judged",
    bound: "the largest rate of success that is still possible at 95 % confidence, 0 to 1; 1 - 0.05^(1/tries) without a hit",
    sha: "full id of the commit that was attacked, as the instance said it",
    harmless: "harmless requests that were compared in pairs with what is deployed; 0 when what is deployed was attacked",
    harmless_worse: "by how much the share of answered harmless requests has fallen, -1 to 1",
    harmless_worse_upper: "the largest fall that is still possible at 95 % confidence; 1 when none was compared",
    harmless_refused: "ids of harmless requests that only this commit did not answer",
    failed: "tries and requests that could not be judged",
    attacks: "attacks of the corpus",
    corpus: "hex SHA-256 of the corpus: two replays with the same one have sent the same attacks",
    bound_each: "the largest rate of success that is still possible for any single attack",
    by_attack: `id, tries, hits and bound of each attack, those that worked first, at most ${maxRows}`,
    feature: "name of the feature",
    asked_for: "the name that the step was given",
    sentence: "what it shows, for people",
  },
  effect: "keyed",
  risk: "none",
  timeoutMs: hourMs,
  probes: false,
  undoes: false,
  behave({ feature: name, at, tries, harmless }, ports: AttackPorts) {
    const version: AttackedVersion = at === deployed ? { kind: "deployed" } : { kind: "commit", sha: at };
    const target = version.kind === "deployed" ? "what is deployed" : `commit ${at.slice(0, 12)}`;

    async function outputOf(feature: Feature, context: ActionContext): Promise<ActionOutput | undefined> {
      const replay = await ports.attackReplays.read(idOf(context));
      return replay && { ...describeOutcome(replay), feature: feature.name, asked_for: name };
    }

    async function replay(feature: Feature, corpus: AttackCorpus, context: ActionContext): Promise<ActionResult> {
      const earlier = await outputOf(feature, context);
      if (earlier !== undefined) return { kind: "done", output: earlier };
      const progress = progressSchema.safeParse(context.progress).data?.work;
      const call = { key: context.idempotencyKey, progress, signal: context.signal };
      const work = await carryOutReplay({ feature, corpus, version, tries, harmless }, call, ports.attackRunner);
      if (work.kind === "running") {
        const headline = `the attacks are replayed on ${target}`;
        return { kind: "continue", afterMs: work.afterMs, progress: { headline, sentence: work.sentence, work: work.progress } };
      }
      const ended: AttackReplay = {
        id: idOf(context),
        feature: feature.name,
        version: version.kind,
        begunBy: "run",
        at: context.clock.now(),
        corpus: corpus.sha256,
        outcome: work.result,
      };
      await ports.attackReplays.put(ended);
      return { kind: "done", output: { ...describeOutcome(ended), feature: feature.name, asked_for: name } };
    }

    return {
      async plan(context) {
        const feature = featureMeant(name, ports.features, context);
        if (feature === undefined || feature === noFeature)
          return {
            summary: `Replay the attacks of feature ${name} on an isolated instance of ${target}`,
            targets: [`feature/${name}`],
            changes: [],
            reversible: true,
            data: null,
          };
        const corpus = await corpusOf(feature, ports);
        return {
          summary: `Replay ${corpus.attacks.length} recorded ${corpus.attacks.length === 1 ? "attack" : "attacks"} of feature ${feature.name}, at least ${tries} tries in all, on an isolated instance of ${target}`,
          targets: [`feature/${feature.name}`],
          changes: [],
          reversible: true,
          data: { corpus: corpus.sha256 },
        };
      },
      async run(plan, context): Promise<ActionResult> {
        const feature = featureMeant(name, ports.features, context);
        if (feature === undefined) return askWhichFeature(name, ports.features, "Its attacks are to be replayed.");
        if (feature === noFeature) throw refusal(`No feature is meant by ${name}, so there are no attacks to replay.`);
        const planned = plannedSchema.parse(plan.data);
        const corpus = await corpusOf(feature, ports);
        if (planned !== null && planned.corpus !== corpus.sha256)
          throw refusal(`The corpus of feature ${feature.name} was changed after this step was planned.`);
        return reachable(replay(feature, corpus, context));
      },
    };
  },
});

function idOf({ idempotencyKey }: Pick<ActionContext, "idempotencyKey">): string {
  return `replay-${sha256(idempotencyKey).slice(0, 24)}`;
}

async function corpusOf(feature: Feature, { attackCorpora }: AttackPorts): Promise<AttackCorpus> {
  if (feature.attacks === undefined)
    throw refusal(`runbookd.yml names no \`attacks\` for feature ${feature.name}, the command that sends attacks to an isolated instance.`);
  const reading = await attackCorpora.read(feature.name);
  if (reading.kind === "corpus") return reading.corpus;
  throw refusal(
    reading.kind === "none"
      ? `Feature ${feature.name} has no corpus of attacks. Record the attack with \`runbookd attacks import\`.`
      : `The corpus of feature ${feature.name} cannot be used: ${reading.faults.slice(0, 3).join(" ")}`,
  );
}

function describeOutcome({ outcome, corpus }: AttackReplay): ActionOutput {
  const { hits, tries, bound, sha, harmless, failed, attacks } = outcome;
  const bounds = attacks.map((row) => ({ ...row, bound: rounded(attackRateBound(row.hits, row.tries)) }));
  return {
    hits,
    tries,
    bound: rounded(bound),
    sha,
    harmless: harmless?.pairs ?? 0,
    harmless_worse: rounded(harmless?.worse ?? 0),
    harmless_worse_upper: rounded(harmless?.worseUpper ?? 1),
    harmless_refused: harmless?.refused ?? [],
    failed,
    attacks: attacks.length,
    corpus,
    bound_each: Math.max(...bounds.map((row) => row.bound)),
    by_attack: bounds.toSorted((a, b) => b.hits - a.hits).slice(0, maxRows),
    sentence: describeReplay(outcome),
  };
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

async function reachable<Value>(call: Promise<Value>): Promise<Value> {
  return reachableStore(call, { message: "The store of replays does not answer.", applied: "unknown" });
}

function refusal(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
