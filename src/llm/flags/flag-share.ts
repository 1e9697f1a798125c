import type { Flag, FlagDefinition } from "../../../packages/sdk/src/wire/flags.ts";
import type { RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import { formatShare } from "../../core/share.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import type { ShareControl, ShareRequest } from "../rollouts/share-control.ts";
import { assertShare, shareRefusal } from "../rollouts/share-refusal.ts";
import { definitionOf, type FlagStore, flagDocument, flagTag } from "./flag.ts";

/** So often a change is tried again when another one came first. */
const maxTries = 5;

type FlagSubject = Extract<RolloutSubject, { readonly kind: "flag" }>;

/** What the share of a flag's variant acts on. */
export interface FlagShareDeps {
  readonly flags: Pick<FlagStore, "read" | "set">;
  readonly followers: Pick<FollowerBook, "count">;
}

/**
 * Gives the variant of a rollout to a share of a flag's targeting keys; a completed rollout makes it the default variant. It never changes whether the
 * flag is on: a flag that is off gets no larger share and is not completed, and one that is taken back stays off.
 */
export function createFlagShare({ flags, followers }: FlagShareDeps): ShareControl {
  /** Writes what `decide` makes of the flag; undefined: it is already so. */
  async function change(request: ShareRequest, reason: string, decide: (flag: Flag) => Partial<FlagDefinition> | undefined): Promise<void> {
    const { flag: key } = flagSubject(request);
    for (let tries = 0; tries < maxTries; tries += 1) {
      const flag = await flags.read(key);
      if (flag === undefined) throw shareRefusal(`There is no flag ${key}.`);
      const decided = decide(flag);
      if (decided === undefined) return;
      const definition = { ...definitionOf(flag), ...decided };
      if ((await flags.set({ key, expected: flag.version, definition, by: request.by, reason })).kind === "set") return;
    }
    throw shareRefusal(`Flag ${key} was changed by others again and again; it stays as it is.`);
  }

  return {
    async trialOf(name) {
      const flag = name.kind === "flag" ? await flags.read(name.flag) : undefined;
      if (flag === undefined || flag.rollout === null) return undefined;
      const { variant: to, share, salt, rollout } = flag.rollout;
      const subject = { kind: "flag", flag: flag.key, from: flag.defaultVariant, to } as const;
      return { subject, share, salt, ...(rollout !== undefined && { rollout }) };
    },
    async resolve(target) {
      const flag = target.kind === "flag" ? await flags.read(target.flag) : undefined;
      if (flag === undefined || target.kind !== "flag" || !Object.hasOwn(flag.variants, target.to)) return undefined;
      return { kind: "flag", flag: flag.key, from: flag.defaultVariant, to: target.to };
    },
    async read(request) {
      const { rollout } = (await flags.read(flagSubject(request).flag)) ?? {};
      return rollout !== undefined && rollout !== null && isOurs(rollout, request) ? rollout.share : undefined;
    },
    async set(request, share) {
      assertShare(share);
      const { from, to } = flagSubject(request);
      await change(request, `${nameOf(request)}: ${formatShare(share)}`, (flag) => {
        const { defaultVariant, rollout, state } = flag;
        if (!Object.hasOwn(flag.variants, to)) throw shareRefusal(`Flag ${flag.key} has no variant ${to}.`);
        if (defaultVariant !== from || from === to) throw foreign(flag);
        if (rollout !== null && !isOurs(rollout, request)) throw foreign(flag);
        if (rollout?.share === share) return undefined;
        if (state === "off" && share > (rollout?.share ?? 0)) throw isOff(flag);
        return { rollout: { variant: to, share, salt: request.salt, ...(request.rollout !== undefined && { rollout: request.rollout }) } };
      });
    },
    async rollBack(request) {
      const { from, to } = flagSubject(request);
      await change(request, `${nameOf(request)}: taken back`, (flag) => {
        const { defaultVariant, rollout } = flag;
        if (rollout !== null && !isOurs(rollout, request)) throw foreign(flag);
        if (defaultVariant === from) return rollout === null ? undefined : { rollout: null };
        // Completed, or completed and put on trial again.
        if (defaultVariant !== to || !Object.hasOwn(flag.variants, from)) throw foreign(flag);
        return { defaultVariant: from, rollout: null };
      });
    },
    async complete(request) {
      const { flag: key, from, to } = flagSubject(request);
      await change(request, `${nameOf(request)}: completed`, (flag) => {
        const { defaultVariant, rollout, state } = flag;
        if (rollout === null && defaultVariant === to) return undefined;
        if (rollout === null && defaultVariant === from)
          throw shareRefusal(`Flag ${key} has no variant on trial that could become its default.`);
        if (rollout === null || !isOurs(rollout, request) || defaultVariant !== from) throw foreign(flag);
        if (state === "off") throw isOff(flag);
        return { defaultVariant: to, rollout: null };
      });
    },
    async followers(request) {
      const { flag: key } = flagSubject(request);
      const flag = await flags.read(key);
      return flag === undefined ? { followers: 0, current: 0 } : followers.count(flagDocument(key), flagTag(flag));
    },
  };
}

function flagSubject({ subject }: ShareRequest): FlagSubject {
  if (subject.kind !== "flag") throw new Error(`A flag has no ${subject.kind}.`);
  return subject;
}

function isOurs(trial: NonNullable<FlagDefinition["rollout"]>, request: ShareRequest): boolean {
  return trial.variant === flagSubject(request).to && trial.salt === request.salt && trial.rollout === request.rollout;
}

function nameOf({ rollout }: ShareRequest): string {
  return rollout === undefined ? "trial" : `rollout ${rollout}`;
}

function isOff({ key, by, reason }: Flag): Error {
  return shareRefusal(`Flag ${key} is off since ${by} changed it (${reason.slice(0, 100)}). Switch it on before its share grows.`);
}

function foreign({ key, defaultVariant, rollout, by }: Flag): Error {
  const trial = rollout === null ? "none on trial" : `${rollout.variant} on trial for ${formatShare(rollout.share)}`;
  return shareRefusal(`Flag ${key} was changed by ${by} since its share was set: ${defaultVariant}, ${trial}. It stays as it is.`);
}
