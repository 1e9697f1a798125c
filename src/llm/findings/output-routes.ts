import { outputReportResultSchema, outputReportSchema } from "../../../packages/sdk/src/wire/outputs.ts";
import { operators } from "../../platform/http/roles.ts";
import { defineRoute, json, noQuery, type Route } from "../../platform/http/route.ts";
import type { SecretDetector } from "./create-secret-detector.ts";
import { unknownFeature } from "./security-finding.ts";

/** What the route of outputs needs. */
export interface OutputRouteDeps {
  readonly detector: SecretDetector;
  /** Names of the features of runbookd.yml. */
  readonly features: readonly string[];
}

const whats = { answer: "an answer", tool_call: "a tool call" } as const;

/** What models gave out, as applications report it. */
export function createOutputRoutes({ detector, features }: OutputRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: "post",
      path: "/api/outputs",
      summary: "Look for secrets and honeytokens in outputs of models; the texts are not stored",
      allow: ["workload", ...operators],
      query: noQuery,
      body: outputReportSchema,
      bodyLimitBytes: 2 * 1024 * 1024,
      success: {
        status: 200,
        description: "`items` says of each output what was found; findings hold the rest",
        schema: outputReportResultSchema,
      },
      async handle({ body }) {
        const items = [];
        for (const { feature, kind, text } of body.outputs) {
          const configured = features.includes(feature) ? feature : unknownFeature;
          items.push(await detector.inspect({ source: "runbookd-outputs", feature: configured, what: whats[kind], text }));
        }
        return json({ items });
      },
    }),
  ];
}
