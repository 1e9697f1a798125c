import { z } from "zod";
import {
  foundSecretSchema,
  securityFindingKinds,
  securityFindingStates,
  severityFactsSchema,
  weaknessSchema,
} from "../../packages/sdk/src/wire/security-findings.ts";
import { dataKinds, exposures, keySystems } from "../core/feature.ts";
import type { SimulatedCorpus, SimulatedFeature, SimulatedFinding, SimulatedRelease } from "./rehearsal.ts";
import { amount, count, course, duration, ratio } from "./rehearsal-values.ts";

const key = z.strictObject({
  system: z.enum(keySystems).default("litellm"),
  undone: count.default(0),
  served: z.boolean().default(false),
});

const corpus = z.strictObject({
  recorded: count.default(1),
  harmless: count.default(1),
  hits: ratio.default(1),
  fix_hits: ratio.default(0),
  answers: ratio.default(1),
  fix_answers: ratio.default(1),
  failed: ratio.default(0),
  changes: z.boolean().default(false),
});

const release = z.strictObject({
  fixes: count.default(1),
  moves: z.boolean().default(false),
  behind: z.boolean().default(false),
  base_moves: z.boolean().default(false),
  tests: z
    .strictObject({
      passed: count.default(6),
      failed: count.default(0),
      skipped: count.default(0),
      base_passed: count.default(4),
      base_failed: count.default(2),
      other_commit: z.boolean().default(false),
    })
    .prefault({}),
  processes: count.default(3),
  up: count.optional(),
  restarts: z.boolean().default(true),
  steady: z.boolean().default(true),
  put_back: z.boolean().default(true),
});

/** A feature as it is written; see docs/rehearsals.md. */
export const featureSchema = z.strictObject({
  flags: z.array(z.string().min(1)).optional(),
  budgets: z.array(z.string().min(1)).default([]),
  keys: z.record(z.string(), key).default({}),
  exposure: z.enum(exposures).exactOptional(),
  data: z.enum(dataKinds).exactOptional(),
  followers: count.default(3),
  stale_followers: count.default(0),
  probe: z.enum(["refused", "served", "none"]).default("refused"),
  requests: count.default(0),
  attacks: z.union([z.literal("unreadable"), corpus], "must be `unreadable`, or a table with `recorded`, `harmless` and so on").optional(),
  release: release.prefault({}),
  tickets_per_minute: course(amount).default(5),
  quality: course(ratio).default(0.95),
  quality_without: course(ratio).default(0.95),
});

/** One report of a finding as it is written; see docs/rehearsals.md. */
export const findingSchema = z.strictObject({
  ref: z.string().min(1).default("1"),
  source: z.string().min(1).default("github-code-scanning"),
  feature: z.string().min(1),
  kind: z.enum(securityFindingKinds).default("vulnerability"),
  state: z.enum(securityFindingStates).default("open"),
  title: z.string().min(1).default("A hole"),
  ago: duration.default(60_000),
  after: duration.default(0),
  weakness: weaknessSchema.default({ cwe: [], owasp: [] }),
  facts: severityFactsSchema.default({}),
  secret: foundSecretSchema.exactOptional(),
});

/** The feature that was written; without flags it has one of its own name. */
export function featureOf(name: string, written: z.output<typeof featureSchema>): SimulatedFeature {
  const { stale_followers: staleFollowers, tickets_per_minute: ticketsPerMinute, quality_without: qualityWithout, ...others } = written;
  const { keys, flags, release: deployed, attacks, ...more } = others;
  return {
    name,
    ...more,
    flags: flags ?? [name],
    keys: Object.entries(keys).map(([id, one]) => ({ id, ...one })),
    staleFollowers,
    ...(attacks !== undefined && { attacks: attacks === "unreadable" ? attacks : corpusOf(attacks) }),
    release: releaseOf(deployed),
    ticketsPerMinute,
    qualityWithout,
  };
}

function corpusOf({ fix_hits: fixHits, fix_answers: fixAnswers, ...written }: z.output<typeof corpus>): SimulatedCorpus {
  return { ...written, fixHits, fixAnswers };
}

function releaseOf({ tests, up, put_back: putBack, base_moves: baseMoves, ...written }: z.output<typeof release>): SimulatedRelease {
  const { base_passed: passed, base_failed: failed, other_commit: otherCommit, ...fix } = tests;
  return { ...written, tests: { fix, base: { passed, failed }, otherCommit }, up: up ?? written.processes, putBack, baseMoves };
}

/** The report that was written. */
export function findingOf({ ago: agoMs, after: afterMs, ...written }: z.output<typeof findingSchema>): SimulatedFinding {
  return { ...written, agoMs, afterMs };
}
