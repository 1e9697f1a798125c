import { canonicalJson, type Json } from "../../packages/sdk/src/wire/json.ts";
import { canonicalTarget } from "../core/canonical-target.ts";
import type { Instant } from "../core/clock.ts";
import { hourMs } from "../core/duration.ts";
import { sha256 } from "../core/json.ts";

/** One change of one field that an intent announced; the values only as hashes, enough to tell them apart. */
export interface TargetChange {
  readonly at: Instant;
  readonly runId: string;
  readonly target: string;
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** How long a change is remembered. */
export const changeRetentionMs = 2 * hourMs;

/** Name of a target's log; hashed, because a target may hold text from an alert. */
export function changeLogOf(target: string): string {
  return `changes:${sha256(canonicalTarget(target))}`;
}

/** A value as it stands in the log. */
export function hashOf(value: Json): string {
  return sha256(canonicalJson(value)).slice(0, 16);
}

/** An entry as it was written; undefined when it is none. */
export function parseChange(text: string): TargetChange | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isChange(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isChange(value: unknown): value is TargetChange {
  if (typeof value !== "object" || value === null || !("at" in value) || typeof value.at !== "number") return false;
  return ["runId", "target", "field", "before", "after"].every((name) => typeof Reflect.get(value, name) === "string");
}
