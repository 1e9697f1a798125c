import { z } from "zod";
import type { AuditKind } from "../../../packages/sdk/src/wire/audit.ts";
import { promptPageSchema } from "../../../packages/sdk/src/wire/caches.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { promptNameSchema } from "../../../packages/sdk/src/wire/names.ts";
import {
  labelMoveSchema,
  movedLabelSchema,
  newPromptVersionSchema,
  type PromptHoneytoken,
  type PromptState,
  type PromptVersion,
  promptHoneytokenSchema,
  promptLabelSchema,
  promptRolloutChangeSchema,
  promptRolloutStateSchema,
  promptVersionSchema,
  promptViewSchema,
  servedPromptSchema,
} from "../../../packages/sdk/src/wire/prompts.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";
import type { AuditLog } from "../../core/audit.ts";
import type { Clock } from "../../core/clock.ts";
import { operators, viewers } from "../../platform/http/roles.ts";
import {
  defineRoute,
  type HandlerResponse,
  issuesOf,
  json,
  noBody,
  noQuery,
  problem,
  type Refusal,
  type Route,
} from "../../platform/http/route.ts";
import type { CacheAnalysisStore } from "../caching/cache-analysis-store.ts";
import { entityTagOf } from "../rollouts/entity-tag.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import { type FindLiveRollout, refuseManualChange } from "../rollouts/refuse-manual-change.ts";
import type { HoneytokenStore } from "./honeytoken.ts";
import { canaryLabel, type PromptStore, productionLabel, statusOf } from "./prompt.ts";
import type { PromptRolloutStore } from "./prompt-rollout-store.ts";
import { promptDocument, readServed } from "./served-prompt.ts";

/** What the routes of prompts need. */
export interface PromptRouteDeps {
  readonly prompts: PromptStore;
  readonly rollouts: PromptRolloutStore;
  readonly honeytokens?: HoneytokenStore;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
  /** Where it is noted which processes follow a prompt. Its `record` does not reject. */
  readonly followers: Pick<FollowerBook, "record">;
  /** The canary and the labels `production` and `canary` of a prompt with a live rollout are not changed by hand. */
  readonly liveRollout: FindLiveRollout;
  /** How prompts are cached. */
  readonly caches?: Pick<CacheAnalysisStore, "list">;
}

/** Which prompt was changed, and by whom. */
interface PromptChange {
  readonly prompt: string;
  readonly by: string;
}

const page = z.strictObject({ after: z.string().max(120).optional(), limit: z.coerce.number().int().min(1).max(100).default(50) });

const newestVersions = 20;

/** Prompts: their versions, their labels, and what applications are given of them. */
export function createPromptRoutes({
  prompts,
  rollouts,
  honeytokens,
  audit,
  clock,
  followers,
  liveRollout,
  caches,
}: PromptRouteDeps): readonly Route[] {
  const record = async (kind: AuditKind, { prompt, by }: PromptChange, detail: { readonly [name: string]: Json }) =>
    audit.append({ at: clock.now(), kind, by, subject: `prompt/${prompt}`, detail });
  const one = async (name: string): Promise<HandlerResponse<Shape<typeof promptViewSchema>>> => {
    const state = await prompts.read(name);
    if (state === undefined) return noPrompt(name);
    const [versions, rollout] = await Promise.all([prompts.versions(name, newestVersions), rollouts.read(name)]);
    return json({ ...state, canary: rollout, versions: versions.map((version) => summaryOf(version, state)) });
  };
  return [
    defineRoute({
      method: "get",
      path: "/api/prompts",
      summary: "Prompts with their labels, by name",
      allow: viewers,
      query: page,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` are prompts with their newest `caches`, one a model; `nextAfter` is the `after` of the next page and absent on the last",
        schema: promptPageSchema,
      },
      async handle({ query: { after, limit } }) {
        const items = await prompts.list(after === undefined ? { limit: limit + 1 } : { after, limit: limit + 1 });
        const states = (await caches?.list()) ?? [];
        const shown = items.slice(0, limit).map((item) => ({ ...item, caches: states.filter(({ prompt }) => prompt === item.name) }));
        const last = shown.at(-1);
        return json(items.length > limit && last !== undefined ? { items: shown, nextAfter: last.name } : { items: shown });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/prompts/{name}",
      summary: `One prompt with its labels, its canary and its newest ${newestVersions} versions`,
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The prompt", schema: promptViewSchema },
      problems: ["not-found"],
      handle: async ({ params }) => one(params["name"] ?? ""),
    }),
    defineRoute({
      method: "post",
      path: "/api/prompts/{name}/versions",
      summary: "Make a version; a layout that some version has already answers that one",
      allow: operators,
      query: noQuery,
      body: newPromptVersionSchema,
      bodyLimitBytes: 2 * 1024 * 1024,
      success: { status: 201, description: "The version with its number and hash", schema: promptVersionSchema },
      async handle({ params, body, caller }) {
        const name = promptNameSchema.safeParse(params["name"]);
        if (!name.success) return problem("invalid-request", "The prompt's name is not accepted.", issuesOf(name.error));
        const version = await prompts.create(name.data, body, caller.name);
        await record("prompt_version_created", { prompt: name.data, by: caller.name }, { version: version.version, hash: version.hash });
        return json(version);
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/prompts/{name}/versions/{version}",
      summary: "One version with its layers, markers and evidence",
      allow: [...viewers, "workload"],
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The version", schema: promptVersionSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const name = params["name"] ?? "";
        const number = Number(params["version"]);
        const version = Number.isSafeInteger(number) && number > 0 ? await prompts.version(name, number) : undefined;
        return version === undefined
          ? problem("not-found", "There is no such version; GET /api/prompts/{name} lists the newest.")
          : json(version);
      },
    }),
    defineRoute({
      method: "put",
      path: "/api/prompts/{name}/labels/{label}",
      summary: "Move a label from where it was seen to another version",
      allow: operators,
      query: noQuery,
      body: labelMoveSchema,
      success: { status: 200, description: "`before` and `after`: what moving it back needs", schema: movedLabelSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body, caller }) {
        const name = params["name"] ?? "";
        const label = promptLabelSchema.safeParse(params["label"]);
        if (!label.success) return problem("invalid-request", "The label is not accepted.", issuesOf(label.error));
        const { version: to, expected, reason } = body;
        const isControlled = label.data === productionLabel || label.data === canaryLabel;
        const refusal = isControlled ? await refuseManualChange(liveRollout, promptDocument(name)) : undefined;
        if (refusal !== undefined) {
          await record(
            "prompt_label_refused",
            { prompt: name, by: caller.name },
            { label: label.data, expected, to, reason, reply: "live_rollout" },
          );
          return problem("conflict", refusal);
        }
        const result = await prompts.moveLabel({ prompt: name, label: label.data, expected, to, by: caller.name });
        const wanted = { label: label.data, expected, to, reason };
        if (result.kind === "not_found") return noPrompt(name);
        const kind = result.kind === "moved" ? "prompt_label_moved" : "prompt_label_refused";
        await record(kind, { prompt: name, by: caller.name }, { ...wanted, reply: result.kind });
        if (result.kind === "unsupported") return problem("conflict", result.reason);
        if (result.kind === "conflict") {
          return problem(
            "conflict",
            `The label points at ${result.present ?? "nothing"} and not at ${expected ?? "nothing"}; read again and decide.`,
          );
        }
        return json({ label: label.data, before: result.before, after: result.after });
      },
    }),
    defineRoute({
      method: "put",
      path: "/api/prompts/{name}/canary",
      summary: "Give a share of the tickets another version, or take that back",
      allow: operators,
      query: noQuery,
      body: promptRolloutChangeSchema,
      success: { status: 200, description: "`canary` as it is now", schema: promptRolloutStateSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body, caller }) {
        const name = params["name"] ?? "";
        const { canary, expected, reason } = body;
        const refusal = await refuseManualChange(liveRollout, promptDocument(name));
        if (refusal !== undefined) return problem("conflict", refusal);
        if (canary !== null && (await prompts.version(name, canary.version)) === undefined) return noPrompt(name);
        const result = await rollouts.compareAndSet(name, expected, canary);
        if (!result.set) return problem("conflict", "The canary is not what was seen; read it again and decide.");
        await record("prompt_canary_set", { prompt: name, by: caller.name }, { before: expected, after: canary, reason });
        return json({ canary: result.rollout });
      },
    }),
    ...(honeytokens === undefined ? [] : createHoneytokenRoutes({ prompts, honeytokens, record })),
    defineRoute({
      method: "get",
      path: "/api/prompts/{name}/served",
      summary: "What applications are given: the version labelled production, and the canary with its share; carries an entity tag",
      allow: [...viewers, "workload"],
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "Both versions with their layers", schema: servedPromptSchema },
      revalidates: true,
      problems: ["not-found"],
      async handle({ params, ifNoneMatch, follower }) {
        const name = params["name"] ?? "";
        const served = await readServed(name, { prompts, rollouts, ...(honeytokens && { honeytokens }) });
        if (served === undefined) return problem("not-found", `Nothing of prompt ${quoted(name)} is labelled production.`);
        if (follower !== undefined) await followers.record({ document: promptDocument(name), instance: follower, tag: ifNoneMatch });
        const headers = { etag: entityTagOf(served) };
        return ifNoneMatch === headers.etag ? { kind: "unchanged", headers } : json(served, headers);
      },
    }),
  ];
}

/** A honeytoken is told once, to who made it: texts that repeat it would raise alarms. The record says that it was made, and not which it is. */
function createHoneytokenRoutes({
  prompts,
  honeytokens,
  record,
}: {
  readonly prompts: Pick<PromptStore, "read">;
  readonly honeytokens: Pick<HoneytokenStore, "create" | "rotate">;
  readonly record: (kind: AuditKind, change: PromptChange, detail: { readonly [name: string]: Json }) => Promise<unknown>;
}): readonly Route[] {
  const make = async (
    { name, by }: { readonly name: string; readonly by: string },
    how: "create" | "rotate",
  ): Promise<HandlerResponse<PromptHoneytoken>> => {
    if ((await prompts.read(name)) === undefined) return noPrompt(name);
    const honeytoken = await honeytokens[how](name);
    if (honeytoken === undefined) return json({ prompt: name, made: false });
    await record("prompt_honeytoken_made", { prompt: name, by }, { rotated: how === "rotate" });
    return json({ prompt: name, made: true, honeytoken });
  };
  return [
    defineRoute({
      method: "post",
      path: "/api/prompts/{name}/honeytoken",
      summary:
        "Make the prompt's honeytoken when it has none: a made-up secret to plant in the prompt, which shows in a text that it has left",
      allow: operators,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`honeytoken` when it was made, and only then; it is served with the prompt from now on",
        schema: promptHoneytokenSchema,
      },
      problems: ["not-found"],
      handle: async ({ params, caller }) => make({ name: params["name"] ?? "", by: caller.name }, "create"),
    }),
    defineRoute({
      method: "post",
      path: "/api/prompts/{name}/honeytoken/rotate",
      summary: "Give the prompt another honeytoken; the ones before it are still recognized",
      allow: operators,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The honeytoken that is served with the prompt from now on", schema: promptHoneytokenSchema },
      problems: ["not-found"],
      handle: async ({ params, caller }) => make({ name: params["name"] ?? "", by: caller.name }, "rotate"),
    }),
  ];
}

function summaryOf({ layout: _layout, evidence: _evidence, ...version }: PromptVersion, { labels }: PromptState) {
  const versionLabels = Object.entries(labels).filter(([, number]) => number === version.version);
  return { ...version, labels: versionLabels.map(([label]) => label), status: statusOf(version.version, labels) };
}

function noPrompt(name: string): Refusal {
  return problem("not-found", `There is no prompt or version of that name: ${quoted(name)}; GET /api/prompts lists them.`);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}
