import { z } from "zod";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import { bodyOf, jsonOf } from "../../actions/json-answer.ts";
import { StepFailure } from "../../core/failure.ts";
import type { FlagReading, FlagSwitch } from "../../llm/flags/flag-switch.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";
import { findFlag, switchOff, switchOn } from "./flag-file.ts";
import type { FlagFile } from "./open-flag-file.ts";

const evaluationShape = z.object({
  value: jsonSchema.optional(),
  variant: z.string().optional(),
  reason: z.string(),
});
const errorShape = z.object({ errorCode: z.string() });
const name = "flagd";

/** How flagd is reached. */
export interface FlagdDeps {
  readonly sender: BoundedSender;
  /** Address of its OFREP service, e.g. `http://127.0.0.1:8016`. */
  readonly url: string;
  readonly file: FlagFile;
}

/**
 * Flags of flagd, which has no interface to change them: they are switched in the file that it watches, and evaluated by its OFREP service as an
 * application would. https://flagd.dev/reference/flag-definitions/
 */
export function createFlagdFlags({ sender, url, file }: FlagdDeps): FlagSwitch {
  async function read(key: string): Promise<FlagReading | undefined> {
    const search = findFlag(await file.read(), key);
    if (search.kind === "damaged") throw damagedFile(search.reason);
    if (search.kind === "absent") return undefined;
    return { key, state: search.flag.isOff ? "off" : "on", version: search.flag.version };
  }

  return {
    read,
    async setState({ key, state }) {
      const edit = await file.change((text) => (state === "off" ? switchOff(text, key) : switchOn(text, key)));
      if (edit.kind === "damaged") throw damagedFile(edit.reason);
      if (edit.kind === "absent") return { kind: "unknown" };
      if (edit.kind === "refused") return { kind: "refused", reason: `The flag ${edit.reason}.` };
      const reading = await read(key);
      if (reading?.state === state) return { kind: "set", reading };
      throw new StepFailure({
        reason: "unknown_outcome",
        message: `The file of flagd was written by someone else at the same time; the flag ${key} is ${reading?.state ?? "gone"}.`,
        applied: "unknown",
      });
    },
    async evaluate(key, targetingKey) {
      // No address leads to these: a segment "." or ".." is resolved before anything is sent, and half a surrogate pair has no encoding.
      if (key === "" || key === "." || key === ".." || /\p{Surrogate}/u.test(key)) return undefined;
      const answer = await sender.send({
        method: "POST",
        url: `${url}/ofrep/v1/evaluate/flags/${encodeURIComponent(key)}`,
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify({ context: { targetingKey } }),
        signal: new AbortController().signal,
      });
      // A 404 of another server does not say that there is no such flag.
      if (answer.kind === "answered" && answer.status === 404 && bodyOf(answer, errorShape)?.errorCode === "FLAG_NOT_FOUND")
        return undefined;
      const { value, variant, reason } = jsonOf(answer, evaluationShape, { name, reads: true });
      // A disabled flag, and one without a default variant: the application takes its own default.
      if (value === undefined) return undefined;
      return { value, reason, ...(variant !== undefined && { variant }) };
    },
    // flagd does not say which applications ask it.
    followers: async () => undefined,
  };
}

function damagedFile(reason: string): StepFailure {
  return new StepFailure({
    reason: "not_reachable",
    message: `The file of flagd ${reason}. Nothing was changed; correct the file.`,
    applied: "no",
  });
}
