import type { ActionOutput } from "../../packages/sdk/src/wire/plans.ts";
import { StepFailure } from "../../src/core/failure.ts";
import type { ValueWrite } from "../../test/servers/counting-target.ts";
import type { Arrival } from "../chaos/history.ts";
import type { Operation } from "./operations.ts";

/** One request as it reaches the target. */
export interface TargetRequest {
  readonly kind: "keyed" | "probed" | "once" | "set" | "undo";
  readonly run: string;
  readonly step: string;
  readonly key: string;
  /** What the request asks for beside its kind; equal for every request with the same key. */
  readonly payload: string;
  /** Of a set or an undo. */
  readonly write?: { readonly name: string; readonly expected: string; readonly version: number; readonly to: string };
}

/** An arrival, and whether its bytes were sent long before: by a process that was stopped, or held by the network. */
export interface SimulatedArrival extends Arrival {
  readonly isLate: boolean;
}

/** The values that are there, and everything that reached it. */
export interface SimulatedTarget {
  readonly arrivals: readonly SimulatedArrival[];
  readonly writes: readonly ValueWrite[];
  /** Keys that came again with another payload, one sentence each. */
  readonly keyFaults: readonly string[];
  read(name: string): { readonly value: string; readonly version: number };
  /** @throws StepFailure when the value is not what the request expects. */
  apply(request: TargetRequest, operation: Pick<Operation, "process" | "wasHeld" | "spansStop">): ActionOutput;
  /** Whether a probed effect of this step happened. */
  has(run: string, step: string): boolean;
  /** Another system sets a value. */
  plant(name: string): void;
}

const nothing = { value: "nothing", version: 0 };

/** `sequence`: the place of the present step in the order of the whole world. */
export function createSimulatedTarget(sequence: () => number): SimulatedTarget {
  const values = new Map<string, { readonly value: string; readonly version: number }>();
  const payloads = new Map<string, string>();
  const arrivals: SimulatedArrival[] = [];
  const writes: ValueWrite[] = [];
  const keyFaults: string[] = [];
  const planted = new Set<string>();
  const read = (name: string) => values.get(name) ?? nothing;

  const write = ({ kind, run, step, write: asked }: TargetRequest): boolean => {
    if (asked === undefined) throw new Error("A write needs a value.");
    const current = read(asked.name);
    const isDone = current.value === asked.to;
    // A set compares versions, so that one that was on its way for long changes nothing after an undo.
    const isExpected = kind === "undo" ? current.value === asked.expected : current.version === asked.version;
    const applied = !isDone && isExpected;
    if (applied) values.set(asked.name, { value: asked.to, version: current.version + 1 });
    const from = { found: current.value, expected: asked.expected, to: asked.to };
    writes.push({ kind: kind === "undo" ? "undo" : "set", run, step, name: asked.name, ...from, applied, at: sequence() });
    if (!isDone && !isExpected) {
      const message = `${asked.name} is ${current.value}, and ${asked.expected} was expected.`;
      throw new StepFailure({ reason: "refused_by_target", message, applied: "no" });
    }
    return applied;
  };

  return {
    arrivals,
    writes,
    keyFaults,
    read,
    has: (run, step) => arrivals.some((arrival) => arrival.run === run && arrival.step === step && arrival.applied),
    apply(request, { process, wasHeld, spansStop }) {
      const { kind, run, step, key, payload } = request;
      const arrive = (applied: boolean) =>
        arrivals.push({ run, step, effect: kind, applied, pid: process, at: sequence(), isLate: wasHeld || spansStop });
      if (kind === "undo") {
        write(request);
        return { ok: true };
      }
      const before = payloads.get(key);
      if (before !== undefined && before !== payload)
        keyFaults.push(`the key of ${step} of ${run} came with ${before}, then with ${payload}`);
      payloads.set(key, before ?? payload);
      if (kind === "set") {
        try {
          const applied = write(request);
          // After another system has set the value, a retry that the document orders is a change of its own.
          arrive(applied && !planted.has(request.write?.name ?? ""));
        } catch (error) {
          arrive(false);
          throw error;
        }
        return { ok: true };
      }
      arrive(kind !== "keyed" || before === undefined);
      return { ok: true };
    },
    plant(name) {
      const { value, version } = read(name);
      const foreign = `planted ${version + 1}`;
      planted.add(name);
      values.set(name, { value: foreign, version: version + 1 });
      const about = { run: "", step: "", name, found: value, expected: value, to: foreign };
      writes.push({ kind: "planted", ...about, applied: true, at: sequence() });
    },
  };
}
