import { beforeEach, describe, expect, it } from "@jest/globals";
import type { RolloutSubject } from "../../packages/sdk/src/wire/rollouts.ts";
import { StepFailure } from "../../src/core/failure.ts";
import type { ShareControl, ShareRequest, SubjectName, SubjectTarget } from "../../src/llm/rollouts/share-control.ts";

/** What new tickets are given now. */
export interface ServedShare {
  /** What most tickets get, as the subject's `from` or `to` writes it. */
  readonly main: unknown;
  /** What a share of them gets. */
  readonly trial?: { readonly variant: unknown; readonly share: number; readonly salt: string; readonly rollout: string | undefined };
}

/** A control with one subject that exists and has no trial, and what others do to that subject. */
export interface ShareBench {
  readonly control: ShareControl;
  readonly subject: RolloutSubject;
  /** A subject of the same kind that does not exist. */
  readonly unknown: RolloutSubject;
  readonly served: () => Promise<ServedShare>;
  /** Gives a share of the tickets a third variant, or the new one in another way. */
  putOnTrial(trial: {
    readonly variant: "third" | "new";
    readonly share: number;
    readonly salt: string;
    readonly rollout?: string;
  }): Promise<void>;
  /** Gives all other tickets a third variant. */
  readonly replaceMain: () => Promise<void>;
  /** A process asks for the subject, with what is served now or with something older. */
  readonly follow: (instance: string, held: "newest" | "older") => Promise<void>;
}

/** The specification of every control of a share. `open` makes a fresh one. */
export function describeShareControl(name: string, open: () => Promise<ShareBench>): void {
  describe(`${name} as a control of a share`, () => {
    let bench: ShareBench;
    let control: ShareControl;
    let request: ShareRequest;
    let untouched: ServedShare;

    beforeEach(async () => {
      bench = await open();
      ({ control } = bench);
      request = { subject: bench.subject, salt: "salt-1", rollout: "r_1", by: "run:1" };
      untouched = await bench.served();
    });

    /** Why an attempt was refused, once it is certain that it has changed nothing. */
    const refusalOf = async (attempt: Promise<unknown>) => {
      const before = await bench.served();
      const thrown: unknown = await attempt.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(await bench.served()).toEqual(before);
      expect(thrown).toMatchObject({ failure: { applied: "no" } });
      return thrown instanceof StepFailure ? thrown.failure.reason : thrown;
    };

    it("gives the new variant to a growing share, under the rollout's salt and id, and twice the same is once", async () => {
      expect(untouched).toEqual({ main: bench.subject.from });
      expect(await control.read(request)).toBeUndefined();
      for (const share of [0.05, 0.5, 0.5, 0.95, 0.1, 0, 1]) {
        await control.set(request, share);
        expect(await control.read(request)).toBe(share);
        expect(await bench.served()).toEqual({
          main: bench.subject.from,
          trial: { variant: bench.subject.to, share, salt: "salt-1", rollout: "r_1" },
        });
      }
    });

    it("also serves a trial that a person set, which has no rollout", async () => {
      const byPerson: ShareRequest = { ...request, rollout: undefined };
      await control.set(byPerson, 0.2);
      expect(await bench.served()).toMatchObject({ trial: { share: 0.2, rollout: undefined } });
      expect(await control.read(request)).toBeUndefined();
      expect(await refusalOf(control.set(request, 0.3))).toBe("refused_by_target");
      await control.rollBack(byPerson);
      expect(await bench.served()).toEqual(untouched);
    });

    it("takes it back, also twice, and also when it was never set", async () => {
      await control.rollBack(request);
      expect(await bench.served()).toEqual(untouched);
      await control.set(request, 0.5);
      await control.rollBack(request);
      await control.rollBack(request);
      expect(await bench.served()).toEqual(untouched);
      expect(await control.read(request)).toBeUndefined();
    });

    it("completes it: the new variant is the only one; and takes back what was completed", async () => {
      await control.set(request, 0.95);
      await control.complete(request);
      await control.complete(request);
      expect(await bench.served()).toEqual({ main: bench.subject.to });
      await control.rollBack(request);
      await control.rollBack(request);
      expect(await bench.served()).toEqual(untouched);
    });

    it("says what is on trial, by whom, and what tickets get now", async () => {
      const named = nameOf(bench.subject);
      expect(await control.trialOf(named)).toBeUndefined();
      expect(await control.resolve(targetOf(bench.subject))).toEqual(bench.subject);
      await control.set(request, 0.25);
      expect(await control.trialOf(named)).toEqual({ subject: bench.subject, share: 0.25, salt: "salt-1", rollout: "r_1" });
      await control.complete(request);
      expect(await control.trialOf(named)).toBeUndefined();
      expect(await control.resolve(targetOf(bench.subject))).toMatchObject({ from: bench.subject.to });
      await bench.putOnTrial({ variant: "third", share: 0.1, salt: "s" });
      expect(await control.trialOf(named)).toEqual({
        subject: expect.objectContaining({ from: bench.subject.to }),
        share: 0.1,
        salt: "s",
      });
    });

    it.each([
      ["another variant", { variant: "third", share: 0.2, salt: "salt-1", rollout: "r_1" }],
      ["the trial of another rollout", { variant: "new", share: 0.2, salt: "salt-1", rollout: "r_2" }],
      ["a trial with other tickets", { variant: "new", share: 0.2, salt: "salt-2", rollout: "r_1" }],
      ["the trial of a person", { variant: "new", share: 0.2, salt: "salt-1" }],
    ] as const)("leaves %s alone, and refuses", async (_, trial) => {
      await bench.putOnTrial(trial);
      expect(await control.read(request)).toBeUndefined();
      expect(await refusalOf(control.set(request, 0.5))).toBe("refused_by_target");
      expect(await refusalOf(control.rollBack(request))).toBe("refused_by_target");
      expect(await refusalOf(control.complete(request))).toBe("refused_by_target");
    });

    it("leaves a subject alone whose other tickets get a third variant", async () => {
      await control.set(request, 0.5);
      await bench.replaceMain();
      expect(await refusalOf(control.set(request, 0.6))).toBe("refused_by_target");
      expect(await refusalOf(control.complete(request))).toBe("refused_by_target");
    });

    it("does not complete what was never on trial", async () => {
      expect(await refusalOf(control.complete(request))).toBe("refused_by_target");
    });

    it("refuses what does not exist", async () => {
      const other = { ...request, subject: bench.unknown };
      expect(await control.read(other)).toBeUndefined();
      expect(await control.trialOf(nameOf(bench.unknown))).toBeUndefined();
      expect(await control.resolve(targetOf(bench.unknown))).toBeUndefined();
      expect(await control.followers(other)).toEqual({ followers: 0, current: 0 });
      expect(await refusalOf(control.set(other, 0.5))).toBe("refused_by_target");
      expect(await refusalOf(control.rollBack(other))).toBe("refused_by_target");
      expect(await refusalOf(control.complete(other))).toBe("refused_by_target");
    });

    it.each([-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])("refuses the share %p", async (share) => {
      await control.set(request, 0.5);
      expect(await refusalOf(control.set(request, share))).toBe("invalid_parameters");
    });

    it("lets one of several rollouts that begin at once win", async () => {
      const rollouts = ["r_1", "r_2", "r_3", "r_4"];
      const ends = await Promise.allSettled(rollouts.map(async (rollout) => control.set({ ...request, rollout, salt: rollout }, 0.1)));
      expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const winner = rollouts.filter((_, nth) => ends[nth]?.status === "fulfilled");
      expect([(await bench.served()).trial?.rollout]).toEqual(winner);
    });

    it("counts the processes that follow the subject, and those that have its newest version", async () => {
      expect(await control.followers(request)).toEqual({ followers: 0, current: 0 });
      await bench.follow("one", "newest");
      await bench.follow("two", "older");
      expect(await control.followers(request)).toEqual({ followers: 2, current: 1 });
      await control.set(request, 0.1);
      expect(await control.followers(request)).toEqual({ followers: 2, current: 0 });
      await bench.follow("one", "newest");
      await bench.follow("two", "newest");
      expect(await control.followers(request)).toEqual({ followers: 2, current: 2 });
    });
  });
}

function nameOf(subject: RolloutSubject): SubjectName {
  switch (subject.kind) {
    case "model":
      return { kind: "model", route: subject.route };
    case "prompt":
      return { kind: "prompt", prompt: subject.prompt };
    case "flag":
      return { kind: "flag", flag: subject.flag };
  }
}

function targetOf(subject: RolloutSubject): SubjectTarget {
  switch (subject.kind) {
    case "model":
      return { kind: "model", route: subject.route, to: subject.to };
    case "prompt":
      return { kind: "prompt", prompt: subject.prompt, to: subject.to };
    case "flag":
      return { kind: "flag", flag: subject.flag, to: subject.to };
  }
}
