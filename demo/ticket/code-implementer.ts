import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Implementer, PhaseResult, PhaseTask } from "../../src/llm/tickets/implementer.ts";
import type { EvidenceLog } from "../workload/evidence-log.ts";
import type { ModelClient, ModelRequest, ModelResponse } from "../workload/model-client.ts";
import { runTests } from "./run-tests.ts";
import { type Edit, edits, ticketText } from "./small-repository.ts";

/** What the implementer works with. */
export interface CodeImplementerOptions {
  readonly model: ModelClient;
  readonly modelName: string;
  readonly evidence: EvidenceLog;
  readonly now: () => number;
  /** Hears of every call, for whoever counts the money. */
  readonly report: (task: PhaseTask, response: ModelResponse) => void;
}

const editSchema = z.object({ path: z.string(), content: z.string() });

/**
 * The application's own code: asks the model, and does what it answers. The model server writes no code, so that the tool it is asked to call permits, for
 * each file, exactly one content; everything else is as it would be with a model that does.
 */
export function createCodeImplementer({ model, modelName, evidence, now, report }: CodeImplementerOptions): Implementer {
  async function ask(
    task: PhaseTask,
    instruction: string,
    tool?: ModelRequest["tools"],
  ): Promise<ModelResponse & { readonly kind: "answer" }> {
    const text = `${ticketText.title}\n\n${ticketText.body}\n\n${task.conversation}\n\n${instruction}`;
    await task.heartbeat();
    const response = await model.ask(
      {
        model: modelName,
        max_tokens: 300,
        system: [{ type: "text", text: "You work on tickets of a small shop, one stage after another." }],
        messages: [{ role: "user", content: [{ type: "text", text }] }],
        metadata: { user_id: task.ticket.id },
        ...(tool === undefined ? {} : { tools: tool, tool_choice: { type: "any" as const } }),
      },
      task.signal,
    );
    report(task, response);
    await task.heartbeat();
    if (response.kind === "error") throw new Error(`${response.outcome}: ${response.message}`);
    return response;
  }

  async function edit(task: PhaseTask, wanted: Edit): Promise<void> {
    const properties = { path: { type: "string", enum: [wanted.path] }, content: { type: "string", enum: [wanted.content] } };
    const tool = {
      name: "write_file",
      description: "Writes a file.",
      input_schema: { type: "object", properties, required: ["path", "content"] },
    };
    const { path, content } = editSchema.parse((await ask(task, `Write ${wanted.path}.`, [tool])).input);
    await writeFile(join(task.folder, path), content);
    evidence.write({ kind: "edited", at: now(), ticketId: task.ticket.id, path, attempt: task.attempt });
  }

  async function work(task: PhaseTask): Promise<PhaseResult> {
    const said = (text: string): PhaseResult => ({ kind: "done", conversation: `${task.conversation}\n[${task.phase}] ${text}`.trim() });
    switch (task.phase) {
      case "plan":
        return said((await ask(task, "Plan the change.")).text);
      case "implement": {
        let written = 0;
        for (const wanted of edits) {
          // What lies there already was written by an earlier try, and is not paid for again.
          if ((await readFile(join(task.folder, wanted.path), "utf8")) === wanted.content) continue;
          await edit(task, wanted);
          written += 1;
        }
        return said(`${written} files were written, ${edits.length - written} were there.`);
      }
      case "test": {
        const tests = await runTests(task.folder);
        const reason = `${tests.failed} of ${tests.passed + tests.failed} tests fail`;
        if (tests.ok) return said(`${tests.passed} tests pass.`);
        return { kind: "failed", conversation: `${task.conversation}\n${tests.said}`, failureClass: "test_failure", reason, retry: true };
      }
      case "review":
        return said((await ask(task, "Review the change.")).text);
      case "publish":
        return said("Ready to be published.");
    }
  }

  return async (task) => {
    evidence.write({ kind: "stage_began", at: now(), stage: task.phase, attempt: task.attempt, ticketId: task.ticket.id });
    const result = await work(task);
    evidence.write({
      kind: "stage_ended",
      at: now(),
      ticketId: task.ticket.id,
      stage: task.phase,
      attempt: task.attempt,
      result: result.kind,
    });
    return result;
  };
}
