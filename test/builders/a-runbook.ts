import type { CheckItem, FailurePolicy, Runbook, Step } from "../../packages/sdk/src/wire/runbooks.ts";

const position = { line: 1, column: 1 };
const stop: FailurePolicy = { retries: 0, retryEveryMs: 0, then: { kind: "stop" } };

/** A step that calls the action of its own name, unless told otherwise; `null` makes it a manual step. */
export function aStep(id: string, step: Partial<Omit<Step, "action">> & { readonly action?: string | null } = {}): Step {
  const { action = id, ...rest } = step;
  return {
    id,
    name: id,
    number: 1,
    text: `Do ${id}.`,
    position,
    onFailure: stop,
    ...(action !== null && { action: { name: action, parameters: {}, position } }),
    ...rest,
  };
}

/** A CEL expression as the loader would hand it over. */
export function anExpression(source: string): { source: string; position: typeof position } {
  return { source, position };
}

/** A promql check. */
export function aPromqlCheck(query: string, withinMs?: number): CheckItem {
  return { text: query, position, check: { kind: "promql", query, ...(withinMs !== undefined && { withinMs }) } };
}

/** A document with these steps. */
export function aRunbook(steps: readonly Step[], runbook: Partial<Runbook> = {}): Runbook {
  return {
    id: "test",
    title: "Test",
    file: "test.md",
    sha256: "f".repeat(64),
    source: "",
    triggers: [],
    params: {},
    mode: "auto",
    cooldownMs: 0,
    timeoutMs: 3_600_000,
    onResolved: "finish",
    track: {},
    limits: {},
    tags: [],
    prose: {},
    prerequisites: [],
    steps: steps.map((step, index) => ({ ...step, number: index + 1 })),
    verification: [],
    postAction: [],
    ...runbook,
  };
}
