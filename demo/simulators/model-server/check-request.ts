import type { ApiError } from "./api-error.ts";
import { countTokensBody, describeIssue, type MessagesBody, messagesBody, type PromptBody } from "./messages-body.ts";
import { findModel, type ServedModel, servedModels } from "./model-catalogue.ts";
import { type PromptBlock, promptBlocks } from "./prompt-blocks.ts";

/** A body that can be answered, or the error that it gets. `asked` is the model's name as it was sent, when there is one. */
export type CheckedRequest<Body> =
  | {
      readonly ok: true;
      readonly body: Body;
      readonly model: ServedModel;
      readonly blocks: readonly PromptBlock[];
      readonly totalTokens: number;
    }
  | { readonly ok: false; readonly error: ApiError; readonly asked: string };

function invalid(message: string, asked: string): { ok: false; error: ApiError; asked: string } {
  return { ok: false, error: { type: "invalid_request_error", message }, asked };
}

function checkPrompt<Body extends PromptBody>(body: Body, models: readonly ServedModel[]): CheckedRequest<Body> {
  const model = findModel(body.model, models);
  if (model === undefined) return { ok: false, error: { type: "not_found_error", message: `model: ${body.model}` }, asked: body.model };
  const prompt = promptBlocks(body, model);
  if (!prompt.ok) return invalid(prompt.message, body.model);
  return { ok: true, body, model, blocks: prompt.blocks, totalTokens: prompt.totalTokens };
}

/** Checks a body of `POST /v1/messages/count_tokens`. */
export function checkCountTokens(json: unknown, models: readonly ServedModel[] = servedModels): CheckedRequest<PromptBody> {
  const parsed = countTokensBody.safeParse(json);
  return parsed.success ? checkPrompt(parsed.data, models) : invalid(describeIssue(parsed.error), "");
}

/** Checks a body of `POST /v1/messages`. */
export function checkMessages(json: unknown, models: readonly ServedModel[] = servedModels): CheckedRequest<MessagesBody> {
  const parsed = messagesBody.safeParse(json);
  if (!parsed.success) return invalid(describeIssue(parsed.error), "");
  const checked = checkPrompt(parsed.data, models);
  if (!checked.ok) return checked;
  const { body, model, totalTokens } = checked;
  if (body.max_tokens === 0 && body.stream === true) return invalid("max_tokens: 0 is not supported with stream", body.model);
  if (body.max_tokens > model.maxOutputTokens) {
    const rule = `${body.max_tokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${body.model}`;
    return invalid(`max_tokens: ${rule}`, body.model);
  }
  if (totalTokens > model.contextTokens) {
    return invalid(`prompt is too long: ${totalTokens} tokens > ${model.contextTokens} maximum`, body.model);
  }
  return checked;
}
