import { z } from "zod";
import { bodyOf, jsonOf } from "../../actions/json-answer.ts";
import { StepFailure } from "../../core/failure.ts";
import type { KeyReading, KeySwitch } from "../../llm/features/key-switch.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";

/** Where a LiteLLM proxy is, and the key of its administrator. */
export interface LiteLlmAccess {
  readonly url: string;
  readonly masterKey: string;
}

/** `blocked` is null until a key is blocked for the first time. */
const infoShape = z.object({ info: z.object({ blocked: z.boolean().nullish() }) });
const blockedShape = z.object({ blocked: z.literal(true) });
const errorShape = z.object({ error: z.object({ type: z.string() }) });
const name = "LiteLLM";
/** LiteLLM names a key by the SHA-256 of its text. */
const tokenShape = /^[0-9a-f]{64}$/;

/**
 * Virtual keys of a LiteLLM proxy, by the hashed token that `/key/list` and its page of keys show.
 *
 * Each worker of the proxy caches keys for a minute, and a request that is under way while a key is blocked writes the key back as it was. A block therefore
 * reaches the worker that takes it, and the others when their cache ends; disabling again reaches more of them. What LiteLLM says of a key is what its
 * database says, and a trial request would need the key's text, so that `isRefused` is always undefined.
 * https://docs.litellm.ai/docs/proxy/virtual_keys
 */
export function createLiteLlmKeys(sender: BoundedSender, { url, masterKey }: LiteLlmAccess): KeySwitch {
  const headers = { authorization: `Bearer ${masterKey}`, accept: "application/json" };
  const signal = new AbortController().signal;

  async function read(id: string): Promise<KeyReading | undefined> {
    // Without a key in the address LiteLLM describes the key that asks.
    const token = provenToken(id);
    const answer = await sender.send({ method: "GET", url: `${url}/key/info?key=${token}`, headers, signal });
    if (answer.kind === "answered" && answer.status === 404 && bodyOf(answer, errorShape) !== undefined) return undefined;
    const { info } = jsonOf(answer, infoShape, { name, reads: true });
    return { id, state: info.blocked === true ? "disabled" : "active" };
  }

  return {
    read,
    async disable(id) {
      const token = provenToken(id);
      // Asked first because LiteLLM answers 401 to blocking a key that it does not know, as it does to a wrong key of ours.
      if ((await read(token)) === undefined) return false;
      const answer = await sender.send({
        method: "POST",
        url: `${url}/key/block`,
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ key: token }),
        signal,
      });
      const isGone =
        answer.kind === "answered" && [401, 404].includes(answer.status) && goneTypes.has(bodyOf(answer, errorShape)?.error.type ?? "");
      if (isGone) return false;
      jsonOf(answer, blockedShape, { name, reads: false });
      // A change of the key that was under way may have written it as it was.
      const after = await read(token);
      if (after === undefined) return false;
      if (after.state === "disabled") return true;
      throw new StepFailure({
        reason: "unknown_outcome",
        message: "LiteLLM said that it blocked the key, and afterwards that the key is not blocked.",
        applied: "unknown",
      });
    },
    isRefused: async (id) => {
      provenToken(id);
      return undefined;
    },
  };
}

const goneTypes = new Set(["token_not_found_in_db", "not_found_error", "bad_request_error"]);

function provenToken(id: string): string {
  if (tokenShape.test(id)) return id;
  // It may be the key itself, so that it is not repeated.
  const message = "A key of LiteLLM is named by its hashed token: 64 digits 0-9 and a-f. What was given is something else.";
  throw new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
}
