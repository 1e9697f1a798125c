import { promptNameSchema, shortNameSchema } from "../../../packages/sdk/src/wire/names.ts";
import type { RolloutSubject } from "../../../packages/sdk/src/wire/rollouts.ts";
import { routeIdSchema } from "../../../packages/sdk/src/wire/routing.ts";
import { StepFailure } from "../../core/failure.ts";
import { formatModelRef, modelRefGrammar, parseModelRef } from "../models/model-ref.ts";
import type { ShareControl, ShareControls, SubjectName, SubjectTarget } from "./share-control.ts";

/** Parameters that name the subject of a rollout; a call gives exactly one of them. */
export const subjectParameters = {
  route: routeIdSchema.exactOptional().meta({ description: "Route whose model is on trial." }),
  prompt: promptNameSchema.exactOptional().meta({ description: "Prompt whose version is on trial." }),
  flag: shortNameSchema.exactOptional().meta({ description: "Flag whose variant is on trial." }),
};

/** Values of {@link subjectParameters}. */
export interface SubjectParameters {
  readonly route?: string;
  readonly prompt?: string;
  readonly flag?: string;
}

/** The complaint when {@link namesOneSubject} does not hold. */
export const oneSubject = { message: "name exactly one of route, prompt and flag" };

/** Whether exactly one subject is named. */
export function namesOneSubject({ route, prompt, flag }: SubjectParameters): boolean {
  return [route, prompt, flag].filter((name) => name !== undefined).length === 1;
}

/** The subject that the parameters name. Throws a StepFailure when they name none. */
export function subjectNameOf({ route, prompt, flag }: SubjectParameters): SubjectName {
  if (route !== undefined) return { kind: "model", route };
  if (prompt !== undefined) return { kind: "prompt", prompt };
  if (flag !== undefined) return { kind: "flag", flag };
  throw refusedRollout(oneSubject.message);
}

/** The subject with the new variant that a runbook writes as text. Throws a StepFailure that says which form is expected. */
export function subjectTargetOf(name: SubjectName, to: string): SubjectTarget {
  switch (name.kind) {
    case "model": {
      const ref = parseModelRef(to);
      if (ref === undefined) throw refusedRollout(`A model is written ${modelRefGrammar}, got "${to}".`);
      return { ...name, to: ref };
    }
    case "prompt":
      if (!/^[1-9]\d{0,8}$/.test(to)) throw refusedRollout(`The version of prompt ${name.prompt} must be a number from 1 on, got "${to}".`);
      return { ...name, to: Number(to) };
    case "flag":
      return { ...name, to };
  }
}

/** The target of a subject for locks and limits, e.g. `route/implement`. */
export function targetOfName(name: SubjectName): string {
  switch (name.kind) {
    case "model":
      return `route/${name.route}`;
    case "prompt":
      return `prompt/${name.prompt}`;
    case "flag":
      return `flag/${name.flag}`;
  }
}

/** The old and the new variant for people. */
export function describeVariants(subject: RolloutSubject): { readonly from: string; readonly to: string } {
  switch (subject.kind) {
    case "model":
      return { from: formatModelRef(subject.from), to: formatModelRef(subject.to) };
    case "prompt":
      return { from: `version ${subject.from}`, to: `version ${subject.to}` };
    case "flag":
      return { from: subject.from, to: subject.to };
  }
}

/** The control of one kind of subject. Throws a StepFailure when this installation has none. */
export function controlOf(controls: ShareControls, kind: RolloutSubject["kind"]): ShareControl {
  const control = controls[kind];
  if (control === undefined) throw refusedRollout(`This installation cannot change the share of a ${kind}.`);
  return control;
}

/** The failure of a step that a target or the state of a rollout does not permit; nothing was changed. */
export function refusedRollout(message: string): StepFailure {
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
