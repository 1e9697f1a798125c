import { randomUUID } from "node:crypto";
import { type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type LoopbackServer, serveLoopback } from "../demo/simulators/serve-loopback.ts";
import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";
import { httpRequest } from "../src/actions/http-request.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { createHttpClient, type HttpClient } from "../src/integrations/http/create-http-client.ts";
import { defaultRequestLimits } from "../src/platform/requests/bounded-request.ts";
import { createMemoryRunJournal } from "../src/rehearsal/memory-run-journal.ts";
import { parseRunbook } from "../src/runbooks/parse/parse-runbook.ts";
import { createExecutor, type Execution } from "../src/runs/engine/execute-run.ts";

/** The action, its adapter and the engine against a target over a real socket that misbehaves. */
type Behaviour = (request: IncomingMessage, response: ServerResponse, nth: number) => void;

let target: LoopbackServer;
let behave: Behaviour;
let keys: (string | undefined)[];
let http: HttpClient;

beforeEach(async () => {
  keys = [];
  target = await serveLoopback((request, response) => {
    const key = request.headers["idempotency-key"];
    keys.push(typeof key === "string" ? key : undefined);
    request.resume();
    request.once("end", () => behave(request, response, keys.length));
  });
  http = createHttpClient({
    allow: [target.url],
    clock: createSystemClock(),
    limits: { ...defaultRequestLimits, headersMs: 400, bodyMs: 400, totalMs: 1000, maxBytes: 10_000 },
  });
});

afterEach(async () => {
  await http.close();
  await target[Symbol.asyncDispose]();
});

const kinds = {
  read: "method: GET",
  keyed: "method: POST\n     idempotency_key: true",
  once: "method: POST",
};

interface Told {
  readonly execution: Execution;
  readonly journal: readonly JournalEntry[];
  readonly outcome: string | undefined;
  readonly questions: readonly string[];
}

/** Carries a run of one request as far as it goes without a person and without a long wait. */
async function carryOut(kind: keyof typeof kinds, how: Behaviour): Promise<Told> {
  behave = how;
  const clock = createSystemClock();
  const action = httpRequest.create({ http });
  const find = (name: string) => (name === action.name ? action : undefined);
  const source = `---
mode: auto
---
# Runbook: One request

## Scenario
The target misbehaves.

## Procedure

1. **Send**: One request.
   - Action: \`http-request\`
     \`\`\`yaml
     url: ${target.url}/x
     ${kinds[kind]}
     \`\`\`

## Verification
- Nobody looks.
`;
  const { runbook, diagnostics } = parseRunbook({ file: "one.md", source, catalogue: { names: [action.name], find } });
  if (runbook === undefined) throw new Error(JSON.stringify(diagnostics));
  const ledger = createMemoryRunJournal(clock);
  const request = { runbookId: runbook.id, runbookSha: runbook.sha256, mode: "auto", params: {}, source: "manual" } as const;
  ledger.create("run_1", request);
  const executor = createExecutor(
    {
      journal: ledger,
      runbooks: { get: async () => runbook },
      actions: { find },
      guard: () => ({ kind: "allow", claims: [] }),
      metrics: { query: async () => ({ kind: "unavailable", reason: "none" }) },
      announce: async () => undefined,
      publish: () => undefined,
    },
    { clock, questionId: () => `q_${randomUUID()}`, cooldownOf: () => [] },
  );
  const execution = await executor.execute("run_1", new AbortController().signal);
  const journal = ledger.journal("run_1");
  return {
    execution,
    journal,
    outcome: journal.flatMap((entry) => (entry.kind === "finished" ? [entry.outcome] : []))[0],
    questions: journal.flatMap((entry) => (entry.kind === "asked" ? [entry.question.kind] : [])),
  };
}

const answer =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, headers).end("{}");
  };
const reset: Behaviour = (request) => request.socket.destroy();
const slowBody: Behaviour = (_request, response) => {
  response.writeHead(200, { "content-length": "100" });
  response.write("a");
};
const half: Behaviour = (request, response) => {
  response.writeHead(200, { "content-length": "100" });
  response.write("half", () => request.socket.destroy());
};
const silence: Behaviour = () => undefined;
const then =
  (first: Behaviour, rest: Behaviour): Behaviour =>
  (request, response, nth) =>
    (nth === 1 ? first : rest)(request, response, nth);

const unknown: readonly (readonly [string, Behaviour])[] = [
  ["500", answer(500)],
  ["502", answer(502)],
  ["504", answer(504)],
  ["a reset after the bytes were sent", reset],
  ["half an answer", half],
  ["a body that never ends", slowBody],
  ["silence", silence],
  ["a redirect", answer(302, { location: "http://127.0.0.1:1/elsewhere" })],
];

describe("an answer that does not say whether it happened", () => {
  it.each(unknown)("%s: a keyed request is sent again with the same key, and the run succeeds", async (_name, first) => {
    const told = await carryOut("keyed", then(first, answer(200)));
    expect(told).toMatchObject({ execution: "ended", outcome: "succeeded", questions: [] });
    expect(keys.length).toBe(2);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/\S/);
  });

  it.each(unknown)("%s: an opaque request is sent once, and a person is asked", async (_name, first) => {
    const told = await carryOut("once", then(first, answer(200)));
    expect(told).toMatchObject({ execution: "suspended", questions: ["in_doubt"] });
    expect(keys).toEqual([undefined]);
  });

  it("for ever: a keyed request stops after a few attempts with one key", async () => {
    const told = await carryOut("keyed", answer(500));
    expect(told).toMatchObject({ execution: "ended", outcome: "failed" });
    expect(keys.length).toBeGreaterThan(1);
    expect(keys.length).toBeLessThanOrEqual(4);
    expect(new Set(keys).size).toBe(1);
  }, 20_000);
});

describe("an answer that says that it did not happen", () => {
  it.each([400, 403, 404, 422])("%i: it is not sent again and nobody is asked", async (status) => {
    const told = await carryOut("once", answer(status));
    expect(told).toMatchObject({ execution: "ended", outcome: "failed", questions: [] });
    expect(keys.length).toBe(1);
  });

  it.each(["1000000000", "Thu, 01 Jan 2099 00:00:00 GMT"])(
    "429 with Retry-After %s: waits, for a minute at most, and holds no worker",
    async (later) => {
      const told = await carryOut("once", answer(429, { "retry-after": later }));
      expect(told).toMatchObject({ execution: "suspended", questions: [] });
      const waits = told.journal.flatMap((entry) => (entry.kind === "suspended" ? [entry.until - entry.at] : []));
      expect(waits.length).toBe(1);
      expect(waits[0]).toBeGreaterThan(10_000);
      expect(waits[0]).toBeLessThanOrEqual(60_000);
      expect(keys.length).toBe(1);
    },
  );

  it("503 with a date in the past: tries again soon, without a hot loop, and gives up", async () => {
    const told = await carryOut("once", answer(503, { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }));
    expect(told).toMatchObject({ outcome: "failed", questions: [] });
    expect(keys.length).toBe(4);
  }, 30_000);
});

it("a body without end is cut, and read no further", async () => {
  let sent = 0;
  const told = await carryOut("read", (_request, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    const chunk = "x".repeat(1000);
    const more = (): void => {
      while (!response.destroyed && sent < 50_000_000) {
        sent += chunk.length;
        if (response.write(chunk)) continue;
        response.once("drain", more);
        return;
      }
    };
    more();
  });
  expect(told).toMatchObject({ execution: "ended", outcome: "succeeded" });
  expect(told.journal.find(({ kind }) => kind === "applied")).toMatchObject({ output: { truncated: true } });
  expect(sent).toBeLessThan(50_000_000);
});
