import type { CommandContext } from "../../src/cli/context.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import { createSystemRandom } from "../../src/core/random.ts";

/** One request that a command made. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

/** A command's surroundings that keep what it printed and asked. */
export interface ScriptedContext extends CommandContext {
  readonly printed: { out: string; err: string };
  readonly requests: SeenRequest[];
}

/** What the scripted runbookd answers to `METHOD path` (without the query); anything else refuses the connection. */
export type ScriptedAnswers = Readonly<Record<string, { readonly status: number; readonly body: unknown }>>;

/** A context without a process: no terminal, no network, and only the environment that is given. */
export function aCommandContext(
  given: { answers?: ScriptedAnswers; env?: Record<string, string>; workingDirectory?: string; isTerminal?: boolean } = {},
): ScriptedContext {
  const printed = { out: "", err: "" };
  const requests: SeenRequest[] = [];
  return {
    printed,
    requests,
    env: { HOME: "/nowhere", ...given.env },
    workingDirectory: given.workingDirectory ?? "/nowhere",
    write: (text) => void (printed.out += text),
    warn: (text) => void (printed.err += text),
    isTerminal: given.isTerminal ?? false,
    clock: createSystemClock(),
    random: createSystemRandom(),
    signal: new AbortController().signal,
    cpuMs: () => 0,
    exitNow: () => undefined,
    async fetch(input, init) {
      const request = new Request(input, init);
      const url = new URL(request.url);
      const text = await request.text();
      requests.push({
        method: request.method,
        url: request.url,
        authorization: request.headers.get("authorization"),
        body: text === "" ? undefined : JSON.parse(text),
      });
      const answer = given.answers?.[`${request.method} ${url.pathname}`];
      if (answer === undefined) throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
      return Response.json(answer.body, { status: answer.status });
    },
  };
}
