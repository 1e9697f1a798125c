import type { FailurePolicy, Runbook, Step } from "../../packages/sdk/src/wire/runbooks.ts";
import { aRunbook, aStep } from "../../test/builders/a-runbook.ts";

const undo: FailurePolicy = { retries: 1, retryEveryMs: 500, then: { kind: "undo" } };
const ask: FailurePolicy = { retries: 0, retryEveryMs: 0, then: { kind: "ask" } };
const approval = { role: "approver", of: 1, withinMs: 60_000 } as const;
const ofTwo = { role: "approver", of: 2, withinMs: 60_000 } as const;
const ofOperators = { role: "operator", of: 1, withinMs: 30_000 } as const;

const steps: readonly (readonly Step[])[] = [
  [step("first", "keyed"), step("second", "keyed", { approval: ofOperators }), step("third", "set")],
  [
    step("switch_it", "set", { onFailure: undo }),
    step("deploy", "once", { onFailure: undo }),
    step("report", "keyed", { onFailure: undo }),
  ],
  [step("create", "probed"), step("change", "keyed", { approval }), step("finish", "set")],
  [step("one", "set"), step("two", "set", { onFailure: undo }), step("fails", "refuse", { onFailure: undo })],
  [
    step("observe", "read"),
    step("order", "once"),
    step("create", "probed", { onFailure: ask }),
    step("switch_it", "set"),
    step("last", "keyed"),
  ],
  [step("by_hand", null), step("change", "keyed", { approval: ofTwo }), step("fails", "refuse", { onFailure: undo })],
];

/** What the runs of a world may execute; each has its own mix of effects and failure policies. */
export const simulatedDocuments: readonly Runbook[] = steps.map((list, index) => ({
  ...documentOf(list, index),
  track: index === 2 ? { errors: "errors_total" } : {},
}));

/** Documents of two steps, whose worlds can be executed exhaustively. */
export const smallDocuments: readonly Runbook[] = [
  [step("first", "keyed"), step("second", "set")],
  [step("first", "once"), step("second", "probed")],
  [step("first", "set", { onFailure: undo }), step("second", "refuse", { onFailure: undo })],
].map(documentOf);

function documentOf(list: readonly Step[], index: number): Runbook {
  const about = { id: `doc-${index}`, title: `Document ${index}`, sha256: String(index).repeat(64) };
  return aRunbook(list, { ...about, timeoutMs: 600_000, limits: {} });
}

/** The document as a person has edited it: its steps have other names, so that a run of the old bytes is recognized. */
export function edited(runbook: Runbook): Runbook {
  if (runbook.sha256.startsWith("e")) return runbook;
  return { ...runbook, sha256: `e${runbook.sha256.slice(1)}`, steps: runbook.steps.map((one) => ({ ...one, id: `edited_${one.id}` })) };
}

/** The steps of a document that a person must permit. */
export function stepsToPermit({ steps: list }: Runbook): readonly string[] {
  return list.flatMap(({ id, approval: rule }) => (rule === undefined ? [] : [id]));
}

/** Spellings of one target; all mean the same. */
export const spellings: readonly string[] = ["thing/a", "thing/%61", "thing/%2561"];

function step(id: string, action: string | null, more: Partial<Omit<Step, "action">> = {}): Step {
  return aStep(id, { action, ...more });
}
