import { z } from "zod";
import type { CacheBoard } from "../analysis/cache-board.ts";
import { findingKinds, type FindingSource } from "../core/finding.ts";
import { defineRoute, json, noBody, noQuery, type Route } from "./route.ts";
import { viewers } from "./who.ts";

/** What is known about the caching of prompts, and everything that was found out. */
export interface CacheRouteDeps {
  readonly board: Pick<CacheBoard, "list">;
  readonly findings: readonly FindingSource[];
}

const filter = z.strictObject({ kind: z.enum(findingKinds).optional() });

/** Prompts as their requests were cached, and findings. */
export function createCacheRoutes({ board, findings }: CacheRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/prompt-caches",
      summary: "How each prompt is cached: measured, achievable and predicted hit ratio, causes and what mends them, or what is missing",
      who: viewers,
      query: noQuery,
      body: noBody,
      answers: { 200: "`items` are the newest analyses, one for each prompt and model, by name" },
      async handle() {
        const items = [...(await board.list())].sort((a, b) => compare(a.prompt, b.prompt) || compare(a.model, b.model));
        return json(200, { items });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/findings",
      summary: "What was found out about the workload, with the evidence; by kind, the gravest first",
      who: viewers,
      query: filter,
      body: noBody,
      answers: { 200: "`items` are findings; a finding that no longer holds is gone" },
      async handle({ query: { kind } }) {
        const all = (await Promise.all(findings.map(async (source) => source.findings()))).flat();
        const items = all.filter((finding) => kind === undefined || finding.kind === kind);
        return json(200, { items: items.sort((a, b) => grave.indexOf(a.severity) - grave.indexOf(b.severity)) });
      },
    }),
  ];
}

const grave = ["high", "medium", "low"];

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
