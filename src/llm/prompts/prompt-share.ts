import type { PromptRollout } from "../../../packages/sdk/src/wire/prompts.ts";
import type { RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import { formatShare } from "../../core/share.ts";
import { entityTagOf } from "../rollouts/entity-tag.ts";
import type { FollowerBook } from "../rollouts/followers.ts";
import type { ShareControl, ShareRequest } from "../rollouts/share-control.ts";
import { assertShare, shareRefusal } from "../rollouts/share-refusal.ts";
import type { HoneytokenStore } from "./honeytoken.ts";
import { canaryLabel, type PromptStore, productionLabel } from "./prompt.ts";
import type { PromptRolloutStore } from "./prompt-rollout-store.ts";
import { promptDocument, readServed } from "./served-prompt.ts";

/** Tries of a change when another one came first. */
const maxTries = 5;

type PromptSubject = Extract<RolloutSubject, { readonly kind: "prompt" }>;

/** What the control of a prompt's canary needs. */
export interface PromptShareDeps {
  readonly prompts: Pick<PromptStore, "read" | "version" | "moveLabel">;
  readonly rollouts: PromptRolloutStore;
  /** Part of what is served, and so of its entity tag. */
  readonly honeytokens?: Pick<HoneytokenStore, "read">;
  readonly followers: Pick<FollowerBook, "count">;
}

/**
 * Gives the version of a rollout to a share of a prompt's tickets, and the label `canary` with it. A completed rollout moves the label
 * `production`; the old version stays as it is, because a version needs no provider and cannot be retired.
 */
export function createPromptShare({ prompts, rollouts, honeytokens, followers }: PromptShareDeps): ShareControl {
  const labelsOf = async (prompt: string) => {
    const state = await prompts.read(prompt);
    if (state === undefined) throw shareRefusal(`There is no prompt ${prompt}.`);
    return state.labels;
  };

  /** Replaces the canary when it is this rollout's, or none where `mayBegin`. */
  async function setCanary(request: ShareRequest, next: PromptRollout | null, mayBegin: boolean): Promise<void> {
    const { prompt } = promptSubject(request);
    for (let tries = 0; tries < maxTries; tries += 1) {
      const present = await rollouts.read(prompt);
      if (present === null && next === null) return;
      if (present === null ? !mayBegin : !isOurs(present, request)) throw foreignCanary(prompt, present);
      if (present !== null && next !== null && present.share === next.share) return;
      if ((await rollouts.compareAndSet(prompt, present, next)).set) return;
    }
    throw shareRefusal(`The canary of prompt ${prompt} was changed by others again and again; it stays as it is.`);
  }

  /** Points the label `production` at `to`, when it points at `from` or there already. */
  async function promote(request: ShareRequest, from: number, to: number): Promise<void> {
    const { prompt } = promptSubject(request);
    const present = (await labelsOf(prompt))[productionLabel] ?? null;
    if (present === to) return;
    if (present !== from) throw foreignProduction(prompt, present);
    const result = await prompts.moveLabel({ prompt, label: productionLabel, expected: from, to, by: request.by });
    if (result.kind === "moved") return;
    if (result.kind === "conflict" && result.present === to) return;
    if (result.kind === "conflict") throw foreignProduction(prompt, result.present);
    throw shareRefusal(result.kind === "unsupported" ? result.reason : `Prompt ${prompt} has no version ${to}.`);
  }

  /** Sets the label `canary`, or takes it away where it is this rollout's. A store that cannot take it away keeps it: without a share it means nothing. */
  async function labelCanary(request: ShareRequest, to: number | null): Promise<void> {
    const { prompt, to: ours } = promptSubject(request);
    const present = (await labelsOf(prompt))[canaryLabel] ?? null;
    if (present === to || (to === null && present !== ours)) return;
    await prompts.moveLabel({ prompt, label: canaryLabel, expected: present, to, by: request.by });
  }

  return {
    async trialOf(name) {
      if (name.kind !== "prompt") return undefined;
      const { prompt } = name;
      const [canary, state] = await Promise.all([rollouts.read(prompt), prompts.read(prompt)]);
      const from = state?.labels[productionLabel];
      if (canary === null || from === undefined) return undefined;
      const { version: to, share, salt, rollout } = canary;
      return { subject: { kind: "prompt", prompt, from, to }, share, salt, ...(rollout !== undefined && { rollout }) };
    },
    async resolve(target) {
      if (target.kind !== "prompt") return undefined;
      const { prompt, to } = target;
      const [state, version] = await Promise.all([prompts.read(prompt), prompts.version(prompt, to)]);
      const from = state?.labels[productionLabel];
      return from === undefined || version === undefined ? undefined : { kind: "prompt", prompt, from, to };
    },
    async read(request) {
      const canary = await rollouts.read(promptSubject(request).prompt);
      return canary !== null && isOurs(canary, request) ? canary.share : undefined;
    },
    async set(request, share) {
      assertShare(share);
      const { prompt, from, to } = promptSubject(request);
      const production = (await labelsOf(prompt))[productionLabel] ?? null;
      if (production !== from) throw foreignProduction(prompt, production);
      if ((await prompts.version(prompt, to)) === undefined) throw shareRefusal(`Prompt ${prompt} has no version ${to}.`);
      const { salt, rollout } = request;
      await setCanary(request, { version: to, share, salt, ...(rollout !== undefined && { rollout }) }, true);
      await labelCanary(request, to);
    },
    async rollBack(request) {
      const { prompt, from, to } = promptSubject(request);
      const production = (await labelsOf(prompt))[productionLabel] ?? null;
      if (production !== from && production !== to) throw foreignProduction(prompt, production);
      await setCanary(request, null, false);
      await promote(request, to, from);
      await labelCanary(request, null);
    },
    async complete(request) {
      const { prompt, from, to } = promptSubject(request);
      const [canary, labels] = await Promise.all([rollouts.read(prompt), labelsOf(prompt)]);
      if (canary === null && labels[productionLabel] === from)
        throw shareRefusal(`Prompt ${prompt} has no version on trial that could become its only one.`);
      if (canary !== null && !isOurs(canary, request)) throw foreignCanary(prompt, canary);
      // First the label: between the two writes every ticket gets the new version or one of its share, and never only the old one.
      await promote(request, from, to);
      await setCanary(request, null, false);
      await labelCanary(request, null);
    },
    async followers(request) {
      const { prompt } = promptSubject(request);
      const served = await readServed(prompt, { prompts, rollouts, ...(honeytokens && { honeytokens }) });
      return served === undefined ? { followers: 0, current: 0 } : followers.count(promptDocument(prompt), entityTagOf(served));
    },
  };
}

function promptSubject({ subject }: ShareRequest): PromptSubject {
  if (subject.kind !== "prompt") throw new Error(`A prompt has no ${subject.kind}.`);
  return subject;
}

function isOurs({ version, salt, rollout }: PromptRollout, request: ShareRequest): boolean {
  return version === promptSubject(request).to && salt === request.salt && rollout === request.rollout;
}

function foreignCanary(prompt: string, canary: PromptRollout | null): Error {
  const present = canary === null ? "there is none" : `version ${canary.version} for ${formatShare(canary.share)}`;
  return shareRefusal(`The canary of prompt ${prompt} was changed in between: ${present}. It stays as it is.`);
}

function foreignProduction(prompt: string, version: number | null): Error {
  return shareRefusal(
    `Production of prompt ${prompt} was changed in between: ${version === null ? "no version" : `version ${version}`}. It stays as it is.`,
  );
}
