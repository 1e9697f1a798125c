import { sha256 } from "../core/json.ts";
import type { Runbook } from "../runbook/runbook.ts";

const position = { line: 1, column: 1 };

/** A runbook without triggers and with one manual step; fields as the test needs them. */
export function aRunbook(fields: Partial<Runbook> = {}): Runbook {
  const id = fields.id ?? "a-runbook";
  const source = fields.source ?? `# Runbook: ${id}\n`;
  return {
    id,
    title: id,
    file: `${id}.md`,
    sha256: sha256(source),
    source,
    triggers: [],
    params: {},
    mode: "auto",
    cooldownMs: 0,
    timeoutMs: 7_200_000,
    onResolved: "finish",
    track: {},
    limits: {},
    tags: [],
    prose: {},
    prerequisites: [],
    steps: [
      { id: "look", name: "Look", number: 1, text: "Look.", position, onFailure: { retries: 0, retryEveryMs: 0, then: { kind: "stop" } } },
    ],
    verification: [],
    postAction: [],
    ...fields,
  };
}
