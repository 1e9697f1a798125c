import { z } from "zod";
import type { Flag } from "../../../packages/sdk/src/wire/flags.ts";
import {
  ofrepBulkFailureSchema,
  ofrepBulkSchema,
  ofrepConfigurationSchema,
  ofrepEvaluationSchema,
  ofrepFailureSchema,
  ofrepRequestSchema,
} from "../../../packages/sdk/src/wire/ofrep.ts";
import { type Problem, problemType } from "../../../packages/sdk/src/wire/problems.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";
import { viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, type Route } from "../../platform/http/route.ts";
import { entityTagOf } from "../rollouts/entity-tag.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import { evaluateFlag, type FlagFailure, type FlagOutcome, maxShownKey, unknownFlag } from "./evaluate-flag.ts";
import { type FlagStore, flagDocument, flagTag } from "./flag.ts";

/** What the routes of OFREP act on. */
export interface OfrepRouteDeps {
  readonly flags: Pick<FlagStore, "read" | "list">;
  /** Its `record` does not reject. */
  readonly followers: Pick<FollowerBook, "record">;
  /** Called with each flag whose value is answered, and its variant. Never throws. */
  readonly evaluated: (key: string, variant: string) => void;
}

/** Providers may ask as often as this, in milliseconds. */
const minPollingIntervalMs = 1000;

const configuration: Shape<typeof ofrepConfigurationSchema> = {
  name: "runbookd",
  capabilities: {
    cacheInvalidation: { polling: { enabled: true, minPollingIntervalMs } },
    flagEvaluation: { supportedTypes: ["boolean", "string", "int", "float", "object"] },
    caching: { enabled: false },
  },
};

/** What a provider that gets a change notice says of it; there are no notices, and it is not read. */
const bulkQuery = z.strictObject({ flagConfigEtag: z.string().optional(), flagConfigLastModified: z.string().optional() });

/**
 * The OpenFeature Remote Evaluation Protocol 0.3 (https://github.com/open-feature/protocol), and the configuration of its versions before 0.2. Overload is
 * never answered 429, because a provider that gets one stops evaluating; no value is ever left out, because a provider takes that for the default of the code.
 */
export function createOfrepRoutes({ flags, followers, evaluated }: OfrepRouteDeps): readonly Route[] {
  /** Evaluates and counts. */
  const evaluate = (flag: Flag, targetingKey: string | undefined): FlagOutcome => {
    const outcome = evaluateFlag(flag, targetingKey);
    if (outcome.kind === "evaluated") evaluated(flag.key, outcome.answer.variant);
    return outcome;
  };

  return [
    defineRoute({
      method: "post",
      path: "/ofrep/v1/evaluate/flags/{key}",
      summary: "The value of one flag for a context (OFREP)",
      allow: [...viewers, "workload"],
      query: noQuery,
      body: ofrepRequestSchema,
      success: { status: 200, description: "The value; there is one also while the flag is off", schema: ofrepEvaluationSchema },
      failures: {
        answers: {
          400: { description: "`TARGETING_KEY_MISSING`, `INVALID_CONTEXT`, `PARSE_ERROR` or `GENERAL`", schema: ofrepFailureSchema },
          404: { description: "`FLAG_NOT_FOUND`", schema: ofrepFailureSchema },
        },
        of(problem, { key = "" }) {
          const failure = failureOf(problem);
          return failure && { kind: "failure", status: 400, body: { key: key.slice(0, maxShownKey), ...failure } };
        },
      },
      async handle({ params, body: { context }, follower }) {
        const key = params["key"] ?? "";
        const flag = await flags.read(key);
        if (flag === undefined) return { kind: "failure", status: 404, body: unknownFlag(key) };
        // A process that asks for each evaluation holds no older version.
        if (follower !== undefined) await followers.record({ document: flagDocument(key), instance: follower, tag: flagTag(flag) });
        const outcome = evaluate(flag, context.targetingKey);
        return outcome.kind === "evaluated" ? json(outcome.answer) : { kind: "failure", status: 400, body: outcome.failure };
      },
    }),
    defineRoute({
      method: "post",
      path: "/ofrep/v1/evaluate/flags",
      summary: "The value of every flag for one context (OFREP); carries an entity tag",
      allow: [...viewers, "workload"],
      query: bulkQuery,
      body: ofrepRequestSchema,
      success: { status: 200, description: "`flags`, each with its value or why it has none", schema: ofrepBulkSchema },
      revalidates: true,
      failures: {
        answers: { 400: { description: "`INVALID_CONTEXT` or `PARSE_ERROR`", schema: ofrepBulkFailureSchema } },
        of(problem) {
          const failure = failureOf(problem);
          return failure && { kind: "failure", status: 400, body: failure };
        },
      },
      async handle({ body: { context }, ifNoneMatch, follower }) {
        const all = await flags.list();
        const outcomes = all.map((flag) => evaluateFlag(flag, context.targetingKey));
        const body = { flags: outcomes.map((outcome) => (outcome.kind === "evaluated" ? outcome.answer : outcome.failure)) };
        const etag = entityTagOf(body);
        const isCurrent = ifNoneMatch === etag;
        if (follower !== undefined)
          await Promise.all(
            all.map(async (flag) =>
              followers.record({ document: flagDocument(flag.key), instance: follower, tag: isCurrent ? flagTag(flag) : undefined }),
            ),
          );
        if (isCurrent) return { kind: "unchanged", headers: { etag } };
        for (const outcome of outcomes) if (outcome.kind === "evaluated") evaluated(outcome.answer.key, outcome.answer.variant);
        return json(body, { etag });
      },
    }),
    defineRoute({
      method: "get",
      path: "/ofrep/v1/configuration",
      summary: "What a provider may do here (OFREP before 0.2)",
      allow: [...viewers, "workload"],
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The capabilities", schema: ofrepConfigurationSchema },
      handle: async () => json(configuration),
    }),
  ];
}

/** The failure of a request that could not be read or does not fit; undefined: the refusal is none of the protocol's. */
function failureOf({ type, detail, issues = [] }: Problem): Omit<FlagFailure, "key"> | undefined {
  const errorDetails = [detail, ...issues].join(" ").slice(0, 500);
  switch (type) {
    case problemType("malformed-body"):
    case problemType("unsupported-media-type"):
      return { errorCode: "PARSE_ERROR", errorDetails };
    case problemType("body-too-large"):
    case problemType("invalid-request"):
      return { errorCode: "INVALID_CONTEXT", errorDetails };
    default:
      return undefined;
  }
}
