import type { ReportedSecurityFinding, SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Feature } from "../../core/feature.ts";
import { formatShare } from "../../core/share.ts";
import type { AttackCorpus } from "./attack.ts";
import { attackRateBound } from "./attack-bound.ts";
import type { AttackReplay } from "./attack-replay.ts";

/** The source of findings that scheduled replays make. */
export const attackReplaySource = "attack-replay";

/** Attacks of one feature that have a finding of their own. */
export const maxReplayFindings = 100;

/** What a scheduled replay of what is deployed showed. */
export interface ReplayedFeature {
  readonly feature: Pick<Feature, "name" | "repository">;
  readonly corpus: Pick<AttackCorpus, "attacks">;
  readonly replay: Pick<AttackReplay, "at" | "outcome">;
  /** Findings of {@link attackReplaySource} that are open for the feature. */
  readonly open: readonly Pick<SecurityFinding, "ref">[];
}

/**
 * What a scheduled replay says of a feature's findings, the same for the same outcome: one open finding for each attack that worked, at most
 * {@link maxReplayFindings}. A finding whose attack worked in none of its tries is fixed; one whose attack was taken out of the corpus is dismissed, because a
 * person has done that and it shows no fix; one whose tries all came to nothing stays as it is. Pure.
 */
export function findingsOfReplay({ feature, corpus, replay, open }: ReplayedFeature): readonly ReportedSecurityFinding[] {
  const { at, outcome } = replay;
  const rows = new Map(outcome.attacks.map((row) => [row.id, row]));
  const report = (id: string, change: Pick<ReportedSecurityFinding, "state" | "fixedBy">): ReportedSecurityFinding => ({
    source: attackReplaySource,
    ref: refOf(feature, id),
    kind: "prompt",
    title: `The recorded attack ${id} works on what is deployed`,
    // The same for every replay: a number that changes would be a change of the finding.
    description: `The scheduled replay of the recorded attacks of feature ${feature.name} sends it to an isolated instance of what is deployed.`,
    feature: feature.name,
    weakness: { cwe: [], owasp: [...(corpus.attacks.find((attack) => attack.id === id)?.owasp ?? [])] },
    facts: { reproduced: true },
    location: feature.repository === undefined ? {} : { repository: feature.repository },
    updatedAt: at,
    ...change,
  });
  const worked = outcome.attacks.filter(({ hits }) => hits > 0).slice(0, maxReplayFindings);
  const ended = open.flatMap(({ ref }): readonly ReportedSecurityFinding[] => {
    const id = idOf(feature, ref);
    const row = id === undefined ? undefined : rows.get(id);
    if (id === undefined || (row !== undefined && (row.hits > 0 || row.tries === 0))) return [];
    if (row === undefined) return [report(id, { state: "dismissed" })];
    const bound = formatShare(attackRateBound(0, row.tries), { decimals: 1 });
    return [
      report(id, {
        state: "fixed",
        fixedBy: `commit ${outcome.sha}: none of ${row.tries} tries worked, at most ${bound} do`,
      }),
    ];
  });
  return [...worked.map(({ id }) => report(id, { state: "open" })), ...ended];
}

function refOf({ name }: Pick<Feature, "name">, id: string): string {
  return `${name}/${id}`;
}

/** The id of the attack that a finding of this feature is about. */
function idOf({ name }: Pick<Feature, "name">, ref: string): string | undefined {
  return ref.startsWith(`${name}/`) ? ref.slice(name.length + 1) : undefined;
}
