import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { Json } from "../core/json.ts";
import { promptLayoutSchema, type PromptLayout } from "../core/prompt-layout.ts";
import type { Prefix } from "../core/prefix-sample.ts";
import { renderPrompt, type PromptInput, type RenderedBody } from "../workload/render-prompt.ts";
import { assignPrompt, servedPromptSchema, type PromptAssignment, type ServedPrompt } from "../workload/served-prompt.ts";
import { describePrefix } from "./describe-prefix.ts";
import { Refused, Unreachable, type Http } from "./http.ts";

/** Told when what is served of a prompt changes, after the first time it was read. */
export interface PromptChange {
  readonly prompt: string;
  readonly before: ServedPrompt;
  readonly after: ServedPrompt;
}

/** What is put beside the rendered body. */
export interface RenderOptions extends PromptInput {
  /** Everything else of the request that breaks the cache of the messages: tool choice, thinking, output format. */
  readonly parameters?: Json;
}

/** A rendered prompt: the body's part for the provider, and what goes into the usage report. */
export interface RenderedPrompt {
  readonly body: RenderedBody;
  readonly report: {
    readonly prompt: string;
    readonly promptVersion: string;
    readonly variant: PromptAssignment["variant"];
    readonly prefix?: Prefix;
  };
}

/** The version that one ticket has. */
export interface TicketPrompt {
  readonly version: number;
  readonly variant: PromptAssignment["variant"];
  /** Throws when a variable is missing or a tools layer is no list of tools: an application's fault, and every one of them is named. */
  render(input: RenderOptions): RenderedPrompt;
}

/** Prompts as runbookd serves them. */
export interface PromptSource {
  /**
   * The ticket's version: assigned at the first call, and kept for as long as this process lives. `version` is one that the ticket's saved work names; it is
   * used before anything else. Rejects with Unreachable when runbookd cannot be asked and nothing of the prompt is known yet, with Refused when it has no such prompt.
   */
  forTicket(prompt: string, ticketId: string, version?: number): Promise<TicketPrompt>;
  /** Stops asking for changes. */
  close(): void;
}

const mostTickets = 10_000;

/** Serves from memory and asks for changes every `everyMs` with the entity tag that it has; while runbookd is away, what is known stays. */
export function createPromptSource(deps: {
  readonly http: Http;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly onChanged: (change: PromptChange) => void;
}): PromptSource {
  const { http, clock, everyMs, onChanged } = deps;
  const known = new Map<string, { served: ServedPrompt; etag: string }>();
  const loading = new Map<string, Promise<ServedPrompt>>();
  const watched = new Set<string>();
  const old = new Map<string, PromptLayout>();
  const tickets = new Map<string, { readonly version: number; readonly variant: PromptAssignment["variant"] }>();
  const stopped = new AbortController();

  const load = async (prompt: string): Promise<ServedPrompt> => {
    const entry = known.get(prompt);
    const answer = await http.getChanged(`/api/prompts/${encodeURIComponent(prompt)}/served`, entry?.etag);
    if (answer.kind === "missing") throw new Refused(404, `runbookd has no prompt ${prompt} with a version labelled production.`);
    if (answer.kind === "unchanged") {
      if (entry !== undefined) return entry.served;
      throw new Unreachable("runbookd answered that nothing has changed, and nothing is known.");
    }
    const served = servedPromptSchema.parse(answer.body);
    known.set(prompt, { served, etag: answer.etag ?? "" });
    if (entry !== undefined) onChanged({ prompt, before: entry.served, after: served });
    return served;
  };

  const watch = async (prompt: string): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await clock.sleep(everyMs, stopped.signal);
        await load(prompt);
      } catch {
        // What is known stays until runbookd answers again.
      }
    }
  };

  const servedOf = async (prompt: string): Promise<ServedPrompt> => {
    const entry = known.get(prompt);
    if (entry !== undefined) return entry.served;
    const first = loading.get(prompt) ?? load(prompt);
    loading.set(prompt, first);
    try {
      const served = await first;
      if (!watched.has(prompt)) void watch(prompt);
      watched.add(prompt);
      return served;
    } finally {
      loading.delete(prompt);
    }
  };

  const layoutOf = async (served: ServedPrompt, version: number): Promise<PromptLayout> => {
    const { prompt, production, canary } = served;
    if (production.version === version) return production.layout;
    if (canary?.version === version) return canary.layout;
    const key = `${version} ${prompt}`;
    const layout = old.get(key) ?? (await loadVersion(prompt, version));
    old.set(key, layout);
    return layout;
  };

  const loadVersion = async (prompt: string, version: number): Promise<PromptLayout> => {
    const reply = await http.send("GET", `/api/prompts/${encodeURIComponent(prompt)}/versions/${version}`);
    if (reply === undefined) throw new Refused(404, `runbookd has no version ${version} of prompt ${prompt}.`);
    return z.object({ layout: promptLayoutSchema }).parse(reply).layout;
  };

  return {
    async forTicket(prompt, ticketId, version) {
      const served = await servedOf(prompt);
      const key = `${ticketId} ${prompt}`;
      const assigned = assignPrompt(served, ticketId);
      const own =
        version === undefined
          ? (tickets.get(key) ?? { version: assigned.version.version, variant: assigned.variant })
          : { version, variant: served.canary?.version === version ? ("canary" as const) : ("baseline" as const) };
      tickets.delete(key);
      tickets.set(key, own);
      const oldest = tickets.keys().next();
      if (tickets.size > mostTickets && oldest.done !== true) tickets.delete(oldest.value);
      const layout = await layoutOf(served, own.version);
      return { ...own, render: ({ parameters, ...input }) => renderFor({ prompt, layout, ...own }, input, parameters) };
    },
    close: () => stopped.abort(new Error("closed")),
  };
}

function renderFor(
  own: {
    readonly prompt: string;
    readonly layout: PromptLayout;
    readonly version: number;
    readonly variant: PromptAssignment["variant"];
  },
  input: PromptInput,
  parameters: Json | undefined,
): RenderedPrompt {
  const reply = renderPrompt(own.layout, input);
  if (!reply.ok) throw new TypeError(`Prompt ${own.prompt}, version ${own.version}: ${reply.faults.join("; ")}.`);
  const prefix = describePrefix(reply.blocks, parameters === undefined ? {} : { parameters });
  return {
    body: reply.body,
    report: {
      prompt: own.prompt,
      promptVersion: String(own.version),
      variant: own.variant,
      ...(prefix === undefined ? {} : { prefix }),
    },
  };
}
