import { z } from "zod";
import type { AuditEntry } from "../../../packages/sdk/src/wire/audit.ts";
import {
  type Flag,
  type FlagView,
  flagChangeSchema,
  flagKeySchema,
  flagOffSchema,
  flagSchema,
  flagViewSchema,
  maxFlagsPerRequest,
  servedFlagsSchema,
} from "../../../packages/sdk/src/wire/flags.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import type { AuditLog } from "../../core/audit.ts";
import type { Clock } from "../../core/clock.ts";
import { answerers, raisers, viewers } from "../../platform/http/roles.ts";
import { defineRoute, issuesOf, json, noBody, noQuery, problem, type Refusal, type Route } from "../../platform/http/route.ts";
import { entityTagOf } from "../rollouts/entity-tag.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import { type FindLiveRollout, refuseManualChange } from "../rollouts/refuse-manual-change.ts";
import { decideFlagChange } from "./decide-flag-change.ts";
import { maxShownKey } from "./evaluate-flag.ts";
import { type FlagStore, flagDocument, flagTag, isSameSplit, maxFlags } from "./flag.ts";
import { readHeldVersions } from "./held-versions.ts";
import { setFlagState } from "./set-flag-state.ts";

/** What the routes of flags act on. */
export interface FlagRouteDeps {
  readonly flags: FlagStore;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
  /** Where it is noted which processes hold a flag. Its `record` does not reject. */
  readonly followers: FollowerBook;
  /** A flag with a live rollout is only switched on and off by hand. */
  readonly liveRollout: FindLiveRollout;
}

const listQuery = z.strictObject({
  cursor: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const servedQuery = z.strictObject({
  /** Separated by commas. */
  keys: z
    .string()
    .max(maxFlagsPerRequest * 81)
    .transform((text) => text.split(","))
    .pipe(z.array(flagKeySchema).min(1).max(maxFlagsPerRequest)),
});

/** Flags: what they are, what people change of them, and what processes that evaluate them are given. */
export function createFlagRoutes({ flags, audit, clock, followers, liveRollout }: FlagRouteDeps): readonly Route[] {
  const viewOf = async (flag: Flag): Promise<FlagView> => ({
    ...flag,
    followers: await followers.count(flagDocument(flag.key), flagTag(flag)),
  });
  const record = async (entry: Pick<AuditEntry, "kind" | "by" | "detail">, key: string) =>
    audit.append({ ...entry, at: clock.now(), subject: `flag/${key}` });

  return [
    defineRoute({
      method: "get",
      path: "/api/flags",
      summary: "Every flag by key, by page",
      allow: viewers,
      query: listQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are flags with the processes that hold them; `nextCursor` asks for the next page and is absent on the last",
        schema: pageSchema(flagViewSchema),
      },
      async handle({ query: { cursor, limit } }) {
        const after = cursor === undefined ? "" : Buffer.from(cursor, "base64url").toString("utf8");
        if (cursor !== undefined && !flagKeySchema.safeParse(after).success)
          return problem("invalid-request", "The cursor is not one that this list has given out.");
        const following = (await flags.list()).filter(({ key }) => key > after);
        const items = await Promise.all(following.slice(0, limit).map(viewOf));
        const last = following.length > limit ? items.at(-1) : undefined;
        return json({ items, ...(last !== undefined && { nextCursor: Buffer.from(last.key).toString("base64url") }) });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/flags/served",
      summary: "The flags of these keys that exist, for processes that evaluate them; carries an entity tag",
      allow: [...viewers, "workload"],
      query: servedQuery,
      body: noBody,
      success: { status: 200, description: "`flags` by key; a key that is not there is unknown", schema: servedFlagsSchema },
      revalidates: true,
      async handle({ query: { keys }, ifNoneMatch, follower, held = "" }) {
        const served = await flags.find(keys);
        if (follower !== undefined) {
          const versions = readHeldVersions(held);
          await Promise.all(
            served.map(async ({ key }) => followers.record({ document: flagDocument(key), instance: follower, tag: versions.get(key) })),
          );
        }
        const etag = entityTagOf({ flags: served });
        return ifNoneMatch === etag ? { kind: "unchanged", headers: { etag } } : json({ flags: served }, { etag });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/flags/{key}",
      summary: "One flag with the processes that hold it",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The flag", schema: flagViewSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const key = params["key"] ?? "";
        const flag = await flags.read(key);
        return flag === undefined ? noFlag(key) : json(await viewOf(flag));
      },
    }),
    defineRoute({
      method: "put",
      path: "/api/flags/{key}",
      summary:
        "Set what a flag is, from the version that was read. An operator may switch it off, give a trial fewer keys and make the off variant the default; everything else needs an approver",
      allow: answerers,
      query: noQuery,
      body: flagChangeSchema,
      success: { status: 200, description: "The flag as it is now", schema: flagSchema },
      problems: ["conflict"],
      async handle({ params, body, caller }) {
        const key = flagKeySchema.safeParse(params["key"]);
        if (!key.success) return problem("invalid-request", "The flag's key is not accepted.", issuesOf(key.error));
        const { expected, reason, ...definition } = body;
        const before = await flags.read(key.data);
        const decision = decideFlagChange({ before, expected, after: definition, mayRaise: raisers.includes(caller.role) });
        const by = caller.name;
        switch (decision.kind) {
          case "unchanged":
            return json(decision.flag);
          case "invalid":
            return problem("invalid-request", "This cannot be a flag.", decision.faults);
          case "conflict":
            await record({ kind: "flag_refused", by, detail: { reason, expected, why: "conflict" } }, key.data);
            return changedMeanwhile(before);
          case "needs_approver":
            await record(
              { kind: "flag_refused", by, detail: { reason, expected, why: "needs an approver", raises: decision.raises } },
              key.data,
            );
            return problem("forbidden", `Only an approver may do this: ${decision.raises.join("; ").slice(0, 500)}.`);
          case "write": {
            const isSwitch = before !== undefined && isSameSplit(before, definition);
            const refusal = isSwitch ? undefined : await refuseManualChange(liveRollout, flagDocument(key.data));
            if (refusal !== undefined) {
              await record({ kind: "flag_refused", by, detail: { reason, expected, why: "live rollout" } }, key.data);
              return problem("conflict", refusal);
            }
            const result = await flags.set({ key: key.data, expected, definition, by, reason });
            const changes = decision.differences.map(({ what }) => what.slice(0, 300));
            const kind = result.kind === "set" ? "flag_set" : "flag_refused";
            await record({ kind, by, detail: { reason, expected, changes, reply: result.kind } }, key.data);
            if (result.kind === "set") return json(result.flag);
            return result.kind === "full" ? tooMany() : changedMeanwhile(result.flag);
          }
        }
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/flags/{key}/off",
      summary: "Switch a flag off, whatever else was changed of it; a flag that is off already stays as it is",
      allow: answerers,
      stops: true,
      query: noQuery,
      body: flagOffSchema,
      success: { status: 200, description: "The flag as it is now", schema: flagSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, body: { reason }, caller }) {
        const key = params["key"] ?? "";
        const outcome = await setFlagState(flags, { key, state: "off", by: caller.name, reason });
        if (outcome.kind === "unknown") return noFlag(key);
        await record({ kind: "flag_set", by: caller.name, detail: { reason, changes: ["state off"], reply: outcome.kind } }, key);
        return outcome.kind === "set" ? json(outcome.flag) : changedMeanwhile(outcome.flag);
      },
    }),
  ];
}

function noFlag(key: string): Refusal {
  return problem("not-found", `There is no flag ${JSON.stringify(key.slice(0, maxShownKey))}; GET /api/flags lists them.`);
}

function tooMany(): Refusal {
  return problem("conflict", `There are ${maxFlags} flags, and more are not kept.`);
}

function changedMeanwhile(flag: Flag | undefined): Refusal {
  const present = flag === undefined ? "there is no such flag" : `it has version ${flag.version}, by ${flag.by}`;
  return problem("conflict", `The flag is not what was read: ${present}. Read it again and decide.`);
}
