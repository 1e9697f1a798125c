import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { newTicketSchema } from "../../../packages/sdk/src/wire/tickets.ts";
import { aCommandTemplate } from "../../../test/builders/action-bench.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryTickets } from "../../../test/fakes/memory-tickets.ts";
import { createSystemClock } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import type { PhaseTask } from "../../llm/tickets/implementer.ts";
import { createCommandImplementer } from "./create-command-implementer.ts";
import { createCommandRunner } from "./create-command-runner.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-implementer-")));
  mkdirSync(join(root, "workspace"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** One stage by a script. */
async function stage(
  script: string,
  change: Partial<PhaseTask> & { readonly payload?: Json } = {},
  template: Partial<CommandTemplate> = {},
) {
  const program = join(root, "implement.sh");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const tickets = createMemoryTickets(createFakeClock());
  await tickets.add(newTicketSchema.parse({ id: "GH-1", budget: "checkout", payload: change.payload ?? { issue: 7 } }));
  const ticket = await tickets.get("GH-1");
  if (ticket === undefined) throw new Error("There is no ticket.");
  const args = { stage: { kind: "pattern", pattern: "[a-z]+", leadingDash: false } } as const;
  const implementer = createCommandImplementer({
    commands: createCommandRunner({
      templates: [],
      clock: createSystemClock(),
      setpriv: undefined,
      redact: (text) => text,
      graceMs: 200,
    }),
    template: aCommandTemplate({ name: "implement", argv: [program, "{stage}"], args, env: { PATH: "/usr/bin:/bin" }, ...template }),
    clock: createSystemClock(),
  });
  return implementer({
    ticket,
    phase: "implement",
    folder: join(root, "workspace"),
    attempt: 2,
    conversation: "planned",
    compact: false,
    complaint: "",
    leaseId: "l",
    signal: new AbortController().signal,
    heartbeat: async () => undefined,
    ...change,
  });
}

describe("a command as implementer", () => {
  it("works in the ticket's workspace, with the ticket and what was said before, and what it writes is said", async () => {
    const done = await stage(
      'cp "$RUNBOOKD_TICKET_FILE" ticket.json; echo "$1 $RUNBOOKD_TICKET $RUNBOOKD_ATTEMPT after: $(cat "$RUNBOOKD_CONVERSATION_FILE")"',
    );
    expect(done).toEqual({ kind: "done", conversation: "planned\n[implement] implement GH-1 2 after: planned" });
    expect(JSON.parse(readFileSync(join(root, "workspace", "ticket.json"), "utf8"))).toEqual({
      id: "GH-1",
      kind: "ticket",
      payload: { issue: 7 },
    });
  });

  it("is told the model in a trial of an evaluation, and none otherwise", async () => {
    const say = 'echo "model=$RUNBOOKD_MODEL."';
    expect(await stage(say)).toMatchObject({ conversation: expect.stringContaining("model=.") });
    const payload = { evaluation: { ticket: "GH-0", model: "anthropic/new" } };
    expect(await stage(say, { payload })).toMatchObject({ conversation: expect.stringContaining("model=anthropic/new.") });
  });

  it("names what failed by what it says last, else by its stage", async () => {
    expect(await stage('echo "HTTP 429: rate limit" >&2; exit 1')).toMatchObject({
      kind: "failed",
      failureClass: "provider_rate_limit",
      retry: true,
    });
    expect(await stage("exit 3", { phase: "test" })).toMatchObject({
      failureClass: "test_failure",
      reason: "The command ended with status 3.",
    });
    expect(await stage("exit 3")).toMatchObject({ failureClass: "tool_error", retry: true });
    expect(await stage("exit 4", {}, { notAppliedExits: [4] })).toMatchObject({ kind: "failed", retry: false });
    expect(await stage("true", {}, { argv: ["/no/such/program"] })).toMatchObject({
      kind: "failed",
      failureClass: "tool_error",
      retry: false,
    });
  });

  it("says by a file that no request will be billed, and says so too when it cannot be started", async () => {
    const refused = 'echo "HTTP 429: rate limit" >&2';
    expect(await stage(`${refused}; : > "$RUNBOOKD_UNUSED_FILE"; exit 1`)).toMatchObject({
      failureClass: "provider_rate_limit",
      unused: true,
    });
    expect(await stage(`${refused}; exit 1`)).not.toHaveProperty("unused");
    expect(await stage(': > "$RUNBOOKD_UNUSED_FILE"')).toMatchObject({ kind: "done", unused: true });
    expect(await stage("true", {}, { argv: ["/no/such/program"] })).toMatchObject({ kind: "failed", unused: true });
  });

  it("is killed when its worker is told to end, and what it wrote stays where it is", async () => {
    const abort = new AbortController();
    const working = stage("echo half > half.txt; sleep 60", { signal: abort.signal });
    const at = join(root, "workspace", "half.txt");
    for (let tries = 0; tries < 200; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      try {
        if (readFileSync(at, "utf8") === "half\n") break;
      } catch {
        continue;
      }
    }
    abort.abort();
    expect(await working).toMatchObject({ kind: "failed", failureClass: "tool_error", retry: true });
    expect(readFileSync(at, "utf8")).toBe("half\n");
  });
});
