import { type FeatureRequests, featureReportResultSchema, featureReportSchema } from "../../../packages/sdk/src/wire/flags.ts";
import { workloads } from "../../platform/http/roles.ts";
import { defineRoute, json, noQuery, type Route } from "../../platform/http/route.ts";
import type { FeatureReports } from "./feature-reports.ts";

/** What counting the requests of features needs. */
export interface FeatureRequestDeps {
  readonly reports: FeatureReports;
  readonly count: (counts: readonly FeatureRequests[]) => void;
}

/** Requests of features, as the processes of an application count them. */
export function createFeatureRequestRoutes({ reports, count }: FeatureRequestDeps): readonly Route[] {
  return [
    defineRoute({
      method: "post",
      path: "/api/features/requests",
      summary: "Report how many requests of each feature were served and refused since the last report of the process",
      allow: workloads,
      query: noQuery,
      body: featureReportSchema,
      success: {
        status: 200,
        description: "`counted`, or `duplicate` where a report of the process with this or a later sequence was counted before",
        schema: featureReportResultSchema,
      },
      handle: async ({ body }) => {
        const result = reports.take(body);
        if (result === "counted") count(body.counts);
        return json({ result });
      },
    }),
  ];
}
