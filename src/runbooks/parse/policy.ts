import type { FailurePolicy } from "../../../packages/sdk/src/wire/runbooks.ts";
import { parseDuration } from "../../core/duration.ts";

/** What the bullet accepts; quoted in diagnostics. */
export const policyGrammar =
  '`[retry N times [every D],] [then] (stop | continue | ask | undo | go to "Step name")`, then a full stop before any text for people';

/** What a step does when nothing is written. */
export const defaultPolicy: FailurePolicy = { retries: 0, retryEveryMs: 0, then: { kind: "stop" } };

const defaultRetryEveryMs = 10_000;
const maxRetries = 20;
const pattern =
  /^(?:retry\s+(?<times>\d+)\s+times?(?:\s+every\s+(?<every>[^\s,]+))?\s*,?\s*)?(?:then\s+)?(?<then>stop|continue|ask|undo|go\s+to\s+["“](?<step>[^"”]+)["”])$/iu;

/** A policy whose `go to` still holds the step's name as written, or what is wrong with the text. */
export type PolicyParse = { readonly ok: true; readonly policy: FailurePolicy } | { readonly ok: false; readonly message: string };

/** Reads the text behind `If this fails:` up to the first full stop outside quotes; what follows is for people. */
export function parsePolicy(text: string): PolicyParse {
  const sentence = untilFullStop(text).trim();
  const groups = pattern.exec(sentence)?.groups;
  if (groups === undefined) return { ok: false, message: `\`${sentence.slice(0, 80)}\` is no failure policy.` };
  const { times, every, then = "", step } = groups;
  const retries = Number(times ?? 0);
  if (retries > maxRetries) return { ok: false, message: `${retries} retries are more than ${maxRetries}.` };
  if (times !== undefined && retries === 0) return { ok: false, message: "A retry count of 0 is no retry." };
  const everyMs = every === undefined ? defaultRetryEveryMs : parseDuration(every);
  if (everyMs === undefined) return { ok: false, message: `\`${every ?? ""}\` is no duration.` };
  const kind = then.toLowerCase();
  return {
    ok: true,
    policy: {
      retries,
      retryEveryMs: retries === 0 ? 0 : everyMs,
      then:
        step !== undefined
          ? { kind: "go_to", step: step.trim() }
          : { kind: kind === "continue" || kind === "ask" || kind === "undo" ? kind : "stop" },
    },
  };
}

function untilFullStop(text: string): string {
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? "";
    if (character === '"' || character === "“" || character === "”") quoted = !quoted;
    if (character === "." && !quoted && /^\s|^$/u.test(text.slice(index + 1, index + 2))) return text.slice(0, index);
  }
  return text;
}
