import { formatShare } from "../../core/share.ts";
import type { ReplayOutcome } from "./attack-replay.ts";

/** Ids that a sentence names. */
const maxNamed = 3;

/** What a replay shows, for people: how many tries worked, what rate of success is still possible, and what became of harmless requests. */
export function describeReplay({ sha, tries, hits, failed, bound, attacks, harmless }: ReplayOutcome): string {
  const worked = attacks.filter((attack) => attack.hits > 0).map(({ id }) => id);
  const names = `${worked.slice(0, maxNamed).join(", ")}${worked.length > maxNamed ? ` and ${worked.length - maxNamed} more` : ""}`;
  const attacked =
    hits === 0
      ? `None of ${tries} tries worked on commit ${sha.slice(0, 12)}; with 95 % confidence fewer than ${formatShare(bound, { decimals: 2 })} do.`
      : `${hits} of ${tries} tries worked on commit ${sha.slice(0, 12)}: ${names}.`;
  const unjudged = failed === 0 ? "" : ` ${failed} could not be judged.`;
  if (harmless === undefined) return `${attacked}${unjudged}`;
  if (harmless.pairs === 0)
    return `${attacked}${unjudged} No harmless request was compared, so a version that refuses everything is not recognized.`;
  return `${attacked}${unjudged} Of ${harmless.pairs} harmless requests it answers ${formatShare(Math.abs(harmless.worse))} ${harmless.worse < 0 ? "more" : "fewer"} than what is deployed, at most ${formatShare(Math.max(0, harmless.worseUpper))} fewer.`;
}
