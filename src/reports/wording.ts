import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { cleanText } from "../core/clean-text.ts";
import type { Instant } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import { formatUsd, oneUsd } from "../core/money.ts";

/** "2026-01-05 12:00:03 UTC". */
export function moment(at: Instant): string {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15 ? `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC` : "unknown";
}

/** "12:00:03", for lines below a date. */
export function timeOfDay(at: Instant): string {
  return moment(at).slice(11, 19);
}

/** A length of time as a person says it: milliseconds only when it is short, and two units at most. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10_000) return `${Math.round(ms / 100) / 10}s`;
  const units = formatDuration(Math.round(ms / 1000) * 1000).match(/\d+[a-z]+/g) ?? ["0s"];
  return units.slice(0, 2).join(" ");
}

/** A number with as many digits as tell something. */
export function figure(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** Fields whose values are words of our own, and no names of anybody else's. */
const ours = new Set(["factor", "verdict", "lowered", "kept", "compared_with", "factor_compared_with"]);

/** A field of a result or a plan for people; its name says what its unit is. */
export function fieldValue(name: string, value: Json): string {
  if (value === null) return "none";
  if (typeof value === "number") {
    if (/usd/i.test(name) && !/micro/i.test(name)) return formatUsd(value * oneUsd);
    if (/microusd/i.test(name)) return formatUsd(value);
    if (/(share|ratio|share_of_rise)$/.test(name)) return `${figure(value * 100)} %`;
    if (/^(at|from|to|.*_at|.*_until|.*Until|stopBefore)$/.test(name) && value > 1e11) return moment(value);
    if (name.endsWith("_seconds")) return span(value * 1000);
    return figure(value);
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return ours.has(name) ? words(value) : cleanText(value, 500);
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    const shown = value.slice(0, 8).map((item: Json) => fieldValue(name, item));
    // Sentences have commas of their own.
    const text = shown.join(value.some((item) => typeof item === "string" && item.includes(", ")) ? "; " : ", ");
    return value.length > 8 ? `${text} and ${value.length - 8} more` : text;
  }
  return Object.entries(value)
    .map(([key, field]) => `${words(key)} ${fieldValue(key, field)}`)
    .join(", ");
}

/** "finalConcurrency" and "final_concurrency" as "final concurrency"; the unit is in the value. */
export function words(name: string): string {
  return name
    .replace(/(_usd|MicroUsd|_seconds)$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

const longFact = 80;

/** Names and values by line: the short ones together, each long one alone. */
export function factLines<Fact extends readonly [name: string, value: string]>(facts: readonly Fact[]): readonly (readonly Fact[])[] {
  const [short, long] = [facts.filter(([, value]) => value.length <= longFact), facts.filter(([, value]) => value.length > longFact)];
  return [...(short.length > 0 ? [short] : []), ...long.map((fact) => [fact])];
}
