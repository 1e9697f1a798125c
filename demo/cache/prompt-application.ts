import type { RunbookdClient } from "../../packages/sdk/src/client.ts";
import type { TicketPrompt } from "../../packages/sdk/src/prompt-source.ts";
import type { RenderedMessage } from "../../packages/sdk/src/render-prompt.ts";
import { sha256 } from "../../src/core/json.ts";
import { createRandom, hash32 } from "../../src/core/random.ts";
import type { ModelBody, ModelClient, ModelResponse } from "../workload/model-client.ts";
import { usageOfResponse } from "../workload/usage-of-response.ts";
import { demoModel, nextRequest, promptName, turnsPerTicket, variablesOf } from "./demo-prompt.ts";

/** What one ticket came to. */
export interface WorkedTicket {
  readonly ticketId: string;
  readonly version: number;
  readonly variant: string;
  /** Hash of all answers; absent when a call failed. */
  readonly answers?: string;
  readonly inputTokens: number;
}

/** The application under care: it takes its prompt from runbookd, fills it, and asks the model turn by turn. */
export interface PromptApplication {
  /** Works on a ticket and reports its usage. */
  work(ticketId: string, signal: AbortSignal): Promise<WorkedTicket>;
  /** Works on a golden ticket with one version; nothing is published and no usage is reported. */
  tryOut(ticketId: string, version: number, signal: AbortSignal): Promise<WorkedTicket>;
}

/** What the application is made of. */
export interface PromptApplicationOptions {
  readonly client: Pick<RunbookdClient, "prompts" | "reportUsage" | "release">;
  readonly model: ModelClient<ModelBody>;
  readonly budget: string;
  readonly now: () => number;
}

const maxTokens = 24;

/** Creates the application. */
export function createPromptApplication({ client, model, budget, now }: PromptApplicationOptions): PromptApplication {
  const run = async (
    ticketId: string,
    prompt: TicketPrompt,
    signal: AbortSignal,
    onResponse: (response: ModelResponse, report: ReturnType<TicketPrompt["render"]>["report"], turn: number) => void,
  ): Promise<WorkedTicket> => {
    const history: RenderedMessage[] = [];
    const answers: string[] = [];
    let previous: string | null = null;
    let inputTokens = 0;
    for (let turn = 0; turn < turnsPerTicket; turn += 1) {
      // Another order at every call, as a registry without one gives them.
      const random = createRandom(hash32(`${ticketId} ${turn} ${now()}`));
      const { body, report } = prompt.render({ variables: variablesOf(ticketId, now(), random), history });
      const asked = { model: demoModel, max_tokens: maxTokens, ...body, metadata: { user_id: ticketId } };
      const response: ModelResponse = await model.ask({ ...asked, diagnostics: { previous_message_id: previous } }, signal);
      onResponse(response, report, turn);
      if (response.kind === "error") return { ticketId, version: prompt.version, variant: prompt.variant, inputTokens };
      answers.push(response.text);
      previous = response.messageId ?? null;
      inputTokens += JSON.stringify(body).length;
      history.push({ role: "assistant", content: response.text }, { role: "user", content: nextRequest(turn + 1) });
    }
    return { ticketId, version: prompt.version, variant: prompt.variant, answers: sha256(answers.join("\n")), inputTokens };
  };

  return {
    async work(ticketId, signal) {
      const prompt = await client.prompts.forTicket(promptName, ticketId);
      const worked = await run(ticketId, prompt, signal, (response, report, turn) => {
        client.reportUsage({
          ...report,
          ...usageOfResponse(response, demoModel, now()),
          operation: "implement",
          budget,
          ticketId,
          turn,
        });
      });
      const outcome = worked.answers === undefined ? "failed" : "succeeded";
      await client.release({ ticketId, budget, variant: prompt.variant, outcome });
      return worked;
    },
    async tryOut(ticketId, version, signal) {
      const prompt = await client.prompts.forTicket(promptName, `${ticketId} with ${version}`, version);
      return run(ticketId, prompt, signal, () => undefined);
    },
  };
}
