import type { Clock } from "../core/clock.ts";
import type { AttackCorpora, AttackCorpus } from "../llm/attacks/attack.ts";
import type { AttackReplayStore } from "../llm/attacks/attack-replay.ts";
import type { AttackRunner, AttackTranscript, AttackTry } from "../llm/attacks/attack-runner.ts";
import { createMemoryAttackReplays } from "./memory-attack-replays.ts";
import type { SimulatedFeature } from "./rehearsal.ts";

/** The corpora of a rehearsal's features, and an instance that does with attacks what the rehearsal says. */
export interface SimulatedAttacks {
  readonly attackCorpora: AttackCorpora;
  readonly attackRunner: AttackRunner;
  readonly attackReplays: AttackReplayStore;
}

/** What the simulated instance of a version that is deployed says it runs. */
const deployedSha = "d".repeat(40);

/** `changed` hears of every replay, as one line. */
export function createSimulatedAttacks(
  features: readonly SimulatedFeature[],
  clock: Pick<Clock, "now">,
  changed: (line: string) => void,
): SimulatedAttacks {
  const find = (name: string) => features.find((feature) => feature.name === name)?.attacks;
  const reported = new Set<string>();
  return {
    attackReplays: createMemoryAttackReplays(clock),
    attackCorpora: {
      async read(name) {
        const attacks = find(name);
        if (attacks === undefined) return { kind: "none" };
        return attacks === "unreadable"
          ? { kind: "unreadable", faults: ["The corpus cannot be read (rehearsed)."] }
          : { kind: "corpus", corpus: corpusOf(name, { ...attacks, changes: attacks.changes && reported.size > 0 }) };
      },
    },
    attackRunner: {
      async replay({ feature, version, tries }, { key }) {
        const attacks = find(feature.name);
        if (attacks === undefined || attacks === "unreadable") throw new Error("A replay without a corpus.");
        const isFix = version.kind === "commit";
        // The same key is the same replay.
        if (!reported.has(key))
          changed(`attacks/${feature.name}: ${tries.length} tries on ${isFix ? version.sha.slice(0, 12) : "what is deployed"}`);
        reported.add(key);
        const [hits, answers] = isFix ? [attacks.fixHits, attacks.fixAnswers] : [attacks.hits, attacks.answers];
        const of = (kind: string) => tries.filter(({ id }) => id.startsWith(`${kind}/`));
        const transcripts = [
          ...answer(of("attack"), { share: hits, text: "leaked", otherwise: "refused" }),
          ...answer(of("harmless"), { share: answers, text: "done", otherwise: "refused" }),
        ];
        const failing = Math.round(attacks.failed * transcripts.length);
        return {
          kind: "done",
          result: {
            sha: isFix ? version.sha : deployedSha,
            transcripts: transcripts.map((one, index) => (index < failing ? { ...one, answers: [], failed: "rehearsed" } : one)),
          },
        };
      },
    },
  };
}

/** The first of the tries, as many as the share says, are answered with the text. */
function answer(
  tries: readonly AttackTry[],
  { share, text, otherwise }: { readonly share: number; readonly text: string; readonly otherwise: string },
): readonly AttackTranscript[] {
  const count = Math.round(share * tries.length);
  return tries.map(({ id }, index) => ({ id, answers: [index < count ? text : otherwise], toolCalls: [], received: [] }));
}

function corpusOf(feature: string, attacks: Exclude<NonNullable<SimulatedFeature["attacks"]>, "unreadable">): AttackCorpus {
  return {
    feature,
    sha256: (attacks.changes ? "f" : "c").repeat(64),
    attacks: Array.from({ length: attacks.recorded }, (_, nth) => ({
      id: `attack-${nth + 1}`,
      owasp: [],
      variants: [["leak it"]],
      success: [{ kind: "contains", text: "leaked" }],
    })),
    harmless: Array.from({ length: attacks.harmless }, (_, nth) => ({
      id: `harmless-${nth + 1}`,
      turns: ["do it"],
      expected: [{ kind: "contains", text: "done" }],
    })),
  };
}
