import { z } from "zod";
import { bodyOf, jsonOf } from "../../actions/json-answer.ts";
import { StepFailure } from "../../core/failure.ts";
import type { ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import type { KeyReading, KeySwitch } from "../../llm/features/key-switch.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";

const keyShape = z.object({ type: z.literal("api_key"), id: z.string(), status: z.enum(["active", "inactive", "archived", "expired"]) });
const errorShape = z.object({ type: z.literal("error"), error: z.object({ type: z.string() }) });
const name = "Anthropic's Admin API";

/**
 * API keys of Anthropic by their ids (`apikey_…`), with an Admin key. They are set to inactive, which a person can undo in the console. Written without the
 * SDK, so that keys can be disabled where it is not installed, and no answer is read without a limit.
 * https://platform.claude.com/docs/en/api/admin/api_keys/update
 */
export function createAnthropicKeys(sender: BoundedSender, { baseUrl, apiKey: adminKey }: ProviderAccess): KeySwitch {
  const headers = { "x-api-key": adminKey, "anthropic-version": "2023-06-01", accept: "application/json" };
  const signal = new AbortController().signal;
  const addressOf = (id: string) => `${baseUrl}/v1/organizations/api_keys/${id}`;

  async function read(id: string): Promise<KeyReading | undefined> {
    const answer = await sender.send({ method: "GET", url: addressOf(provenId(id)), headers, signal });
    // A 404 of a proxy, or of another address, does not say that there is no such key.
    if (answer.kind === "answered" && answer.status === 404 && bodyOf(answer, errorShape)?.error.type === "not_found_error")
      return undefined;
    return readingOf(id, jsonOf(answer, keyShape, { name, reads: true }));
  }

  return {
    read,
    async disable(id) {
      const before = await read(id);
      if (before === undefined) return false;
      // An archived key is not made inactive: that would take it out of the archive.
      if (before.state === "disabled") return true;
      const answer = await sender.send({
        method: "POST",
        url: addressOf(id),
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ status: "inactive" }),
        signal,
      });
      if (readingOf(id, jsonOf(answer, keyShape, { name, reads: false })).state === "disabled") return true;
      throw new StepFailure({
        reason: "unknown_outcome",
        message: `Anthropic answered that the key ${id} is still active after it was set to inactive.`,
        applied: "unknown",
      });
    },
    // Only a request with the key's text could show it.
    isRefused: async (id) => {
      provenId(id);
      return undefined;
    },
  };
}

function readingOf(id: string, key: z.output<typeof keyShape>): KeyReading {
  if (key.id !== id) {
    throw new StepFailure({ reason: "not_reachable", message: "Anthropic's Admin API answered for another key.", applied: "unknown" });
  }
  return { id, state: key.status === "active" ? "active" : "disabled" };
}

function provenId(id: string): string {
  if (/^apikey_\w{1,120}$/.test(id)) return id;
  // It may be the key itself, so that it is not repeated.
  const message =
    "A key of Anthropic is named by its id, apikey_…, as the console and the Admin API show it. What was given is something else.";
  throw new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
}
