import type { Json } from "../../packages/sdk/src/wire/json.ts";

const maxText = 2000;
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Characters that are drawn as nothing, or that turn or hide the text around them; newline and tab stay. */
const hiddenCharacters = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Untrusted text for the page: characters that an eye does not see are written out as `\uXXXX`, and text beyond `max` characters is cut and
 * says how much is missing.
 */
export function visibleText(text: string, max = maxText): string {
  const cut = text.length <= max ? text : text.slice(0, max);
  const clean = cut
    .replaceAll("\r\n", "\n")
    .replace(hiddenCharacters, (character) =>
      Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
    );
  return text.length <= max ? clean : `${clean}… (${(text.length - max).toLocaleString("en-US")} more characters)`;
}

function isInstant(at: number): boolean {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15;
}

/** `17:26:46` in UTC. */
export function timeOfDay(at: number): string {
  return isInstant(at) ? new Date(at).toISOString().slice(11, 19) : "unknown";
}

/** `2026-11-26 17:26` in UTC. */
export function dateAndTime(at: number): string {
  return isInstant(at) ? new Date(at).toISOString().slice(0, 16).replace("T", " ") : "unknown";
}

/** For the `dateTime` of an element; undefined when it is not a time. */
export function machineTime(at: number): string | undefined {
  return isInstant(at) ? new Date(at).toISOString() : undefined;
}

/** `18:28 UTC`, and the reader's local time beside it when that differs. */
export function timeForReader(at: number): string {
  if (!isInstant(at)) return "unknown";
  const local = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const utc = timeOfDay(at).slice(0, 5);
  return local === utc ? `${utc} UTC` : `${utc} UTC (${local} your time)`;
}

/** A length of time in at most two units: `11 ms`, `1 min 14 s`, `2 h 5 min`. */
export function span(ms: number): string {
  const length = Math.max(0, Math.round(ms));
  if (length < secondMs) return `${length} ms`;
  if (length < 10 * secondMs) return `${Math.round(length / 100) / 10} s`;
  const units = [
    [dayMs, "d"],
    [hourMs, "h"],
    [minuteMs, "min"],
    [secondMs, "s"],
  ] as const;
  const first = units.findIndex(([size]) => length >= size);
  const [size, unit] = units[first] ?? units[3];
  const second = units[first + 1];
  const parts = [`${Math.floor(length / size)} ${unit}`];
  const remaining = second === undefined ? 0 : Math.floor((length % size) / second[0]);
  if (second !== undefined && remaining > 0) parts.push(`${remaining} ${second[1]}`);
  return parts.join(" ");
}

/** A number with at most three significant digits behind its point. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function usd(amount: number): string {
  const digits = amount !== 0 && Math.abs(amount) < 0.1 ? 4 : 2;
  const text = Math.abs(amount).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${amount < 0 ? "−" : ""}$${text}`;
}

/** `finalConcurrency` and `final_concurrency` as `final concurrency`; a unit in the name goes, because the value has it. */
export function words(name: string): string {
  return visibleText(name, 120)
    .replace(/(_usd|MicroUsd|_seconds)$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

/** The title of a document without the word that each title begins with. */
export function titleText(title: string): string {
  return visibleText(title, 200).replace(/^Runbook:\s*(?=\S)/u, "");
}

/** `refused_by_target` as `refused by target`. */
export function reasonWords(reason: string): string {
  return words(reason);
}

/** The value of a field of a plan or a result for people; the field's name says its unit. */
export function fieldValue(name: string, value: Json): string {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return visibleText(value, 500);
  if (typeof value === "number") return numberOf(name, value);
  if (Array.isArray(value)) return listOf(name, value);
  return Object.entries(value)
    .slice(0, 12)
    .map(([key, field]) => `${words(key)} ${fieldValue(key, field)}`)
    .join(", ");
}

function numberOf(name: string, value: number): string {
  if (/microusd/i.test(name)) return usd(value / 1_000_000);
  if (/usd/i.test(name)) return usd(value);
  if (/(share|ratio|share_of_rise)$/.test(name)) return `${figure(value * 100)} %`;
  if (/^(at|from|to|.*_at|.*_until|.*Until|stopBefore)$/.test(name) && value > 1e11) return `${dateAndTime(value)} UTC`;
  if (name.endsWith("_seconds")) return span(value * secondMs);
  return figure(value);
}

function listOf(name: string, value: readonly Json[]): string {
  if (value.length === 0) return "none";
  const shown = value.slice(0, 8).map((item) => fieldValue(name, item));
  return value.length > 8 ? `${shown.join(", ")} and ${value.length - 8} more` : shown.join(", ");
}
