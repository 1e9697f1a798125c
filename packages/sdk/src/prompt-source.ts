import { assignPrompt, type PromptAssignment } from "./assignment.ts";
import type { Clock } from "./clock.ts";
import { describePrefix } from "./describe-prefix.ts";
import { type Http, Refused } from "./http.ts";
import { createAssignmentCache } from "./kept-assignments.ts";
import { type PromptInput, type RenderedBody, renderPrompt } from "./render-prompt.ts";
import { createServedDocuments } from "./served-documents.ts";
import type { TicketRollouts } from "./ticket-rollouts.ts";
import type { Json } from "./wire/json.ts";
import type { Prefix } from "./wire/prefix.ts";
import type { PromptLayout } from "./wire/prompt-layout.ts";
import { promptVersionSchema, type ServedPrompt, servedPromptSchema } from "./wire/prompts.ts";
import type { RolloutAssignment } from "./wire/rollouts.ts";
import { tolerant } from "./wire/tolerant.ts";

const readServedPrompt = tolerant(servedPromptSchema);
const readPromptVersion = tolerant(promptVersionSchema);

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
  /** Present when a rollout set the canary's share. */
  readonly rollout?: RolloutAssignment;
  /** A made-up secret to plant in what the model must not repeat; absent until an operator has made one. See docs/severity.md. */
  readonly honeytoken?: string;
  /** Throws when a variable is missing or a tools layer is no list of tools: an application's fault, and every one of them is named. */
  render(input: RenderOptions): RenderedPrompt;
}

/** What the saved work of a ticket names of its prompt. */
export type BegunPrompt = Pick<TicketPrompt, "version" | "variant" | "rollout">;

/** Prompts as runbookd serves them. */
export interface PromptSource {
  /**
   * The ticket's version: assigned at the first call, and kept for as long as this process lives. `begun` is what the ticket's saved work names, the
   * version alone or with its arm; it is used before anything else. Rejects with Unreachable when runbookd cannot be asked and nothing of the prompt is known yet, with Refused when it has no such prompt.
   */
  forTicket(prompt: string, ticketId: string, begun?: number | BegunPrompt): Promise<TicketPrompt>;
  /** Stops asking for changes. */
  close(): void;
}

/** Assigns versions from what is served; see {@link createServedDocuments}. */
export function createPromptSource(deps: {
  readonly http: Http;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly onChanged: (change: PromptChange) => void;
  readonly rollouts: Pick<TicketRollouts, "remember">;
}): PromptSource {
  const { http, onChanged, rollouts } = deps;
  const documents = createServedDocuments<ServedPrompt>(
    {
      path: (prompt) => `/api/prompts/${encodeURIComponent(prompt)}/served`,
      parse: (body) => readServedPrompt.parse(body),
      missing: (prompt) => `runbookd has no prompt ${prompt} with a version labelled production.`,
      onChanged: (prompt, before, after) => onChanged({ prompt, before, after }),
    },
    deps,
  );
  const old = new Map<string, PromptLayout>();
  const assignments = createAssignmentCache<BegunPrompt>();

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
    const response = await http.send("GET", `/api/prompts/${encodeURIComponent(prompt)}/versions/${version}`);
    if (response === undefined) throw new Refused(404, `runbookd has no version ${version} of prompt ${prompt}.`);
    return readPromptVersion.parse(response).layout;
  };

  return {
    async forTicket(prompt, ticketId, begun) {
      const served = await documents.of(prompt);
      const fresh = () => {
        const { version, ...assigned } = assignPrompt(served, ticketId);
        return { version: version.version, ...assigned };
      };
      const given = typeof begun === "number" ? ofVersion(begun, served) : begun;
      const assignment = assignments.of(prompt, ticketId, { given, fresh });
      if (assignment.rollout !== undefined) rollouts.remember(ticketId, assignment.rollout);
      const layout = await layoutOf(served, assignment.version);
      const { honeytoken } = served;
      return {
        ...assignment,
        ...(honeytoken !== undefined && { honeytoken }),
        render: ({ parameters, ...input }) => renderFor({ prompt, layout, ...assignment }, input, parameters),
      };
    },
    close: () => documents.close(),
  };
}

function ofVersion(version: number, { canary }: ServedPrompt): BegunPrompt {
  return { version, variant: canary?.version === version ? "canary" : "baseline" };
}

function renderFor(
  assigned: {
    readonly prompt: string;
    readonly layout: PromptLayout;
    readonly version: number;
    readonly variant: PromptAssignment["variant"];
  },
  input: PromptInput,
  parameters: Json | undefined,
): RenderedPrompt {
  const rendered = renderPrompt(assigned.layout, input);
  if (!rendered.ok) throw new TypeError(`Prompt ${assigned.prompt}, version ${assigned.version}: ${rendered.faults.join("; ")}.`);
  const prefix = describePrefix(rendered.blocks, parameters === undefined ? {} : { parameters });
  return {
    body: rendered.body,
    report: {
      prompt: assigned.prompt,
      promptVersion: String(assigned.version),
      variant: assigned.variant,
      ...(prefix === undefined ? {} : { prefix }),
    },
  };
}
