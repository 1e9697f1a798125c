import { failureOfStatus } from "../actions/failure-of-status.ts";
import { parseDuration } from "../core/duration.ts";
import type { Fault, FaultOutcome } from "./rehearsal.ts";

/** What `parseFault` accepts; quoted in diagnostics. */
export const faultGrammar =
  "`step STEP: OUTCOME, …` (ok, refused, overloaded, unknown, timeout or an HTTP status), `crash before|after step STEP`, " +
  "`approval: approve|deny`, `answer step STEP: ANSWER, …`, `resolve after step STEP` or `resolve at 10m`; STEP is a number or an id";

/** Reads one line of `faults`; undefined when it is none. */
export function parseFault(line: string): Fault | undefined {
  const text = line.trim().replaceAll(/\s+/gu, " ");
  const [, head = text, list] = /^([^:]+): ?(.*)$/u.exec(text) ?? [];
  const values = list?.split(",").map((value) => value.trim()) ?? [];
  if (values.includes("")) return undefined;
  const [first = "", second = "", third = "", step = ""] = head.split(" ");
  const words = head.split(" ").length;
  if (list === undefined) {
    if (first === "crash" && (second === "before" || second === "after") && third === "step" && words === 4)
      return { kind: "crash", when: second, step };
    if (first === "resolve" && second === "after" && third === "step" && words === 4) return { kind: "resolve", afterStep: step };
    const atMs = first === "resolve" && second === "at" && words === 3 ? parseDuration(third) : undefined;
    return atMs === undefined ? undefined : { kind: "resolve", atMs };
  }
  if (first === "step" && words === 2) {
    const outcomes = values.flatMap((value) => outcomeOf(value) ?? []);
    return outcomes.length === values.length ? { kind: "step", step: second, outcomes } : undefined;
  }
  if (first === "answer" && second === "step" && words === 3) return { kind: "answer", step: third, answers: values };
  if (first !== "approval" || words !== 1 || values.length !== 1) return undefined;
  if (values[0] === "approve") return { kind: "approval", answer: "approve" };
  return values[0] === "deny" ? { kind: "approval", answer: "reject" } : undefined;
}

const names = ["ok", "refused", "overloaded", "unknown", "timeout"] as const;

function outcomeOf(text: string): FaultOutcome | undefined {
  const named = names.find((name) => name === text);
  if (named !== undefined) return { kind: named };
  if (!/^[1-5]\d\d$/u.test(text)) return undefined;
  const status = Number(text);
  if (status >= 200 && status < 300) return { kind: "ok", status };
  const { reason } = failureOfStatus(status, { read: false, expected: "2xx" });
  return { kind: reason === "overloaded" ? "overloaded" : reason === "refused_by_target" ? "refused" : "unknown", status };
}
