import { urlPathFault } from "../../core/canonical-target.ts";
import { splitTemplates, type TemplatePart } from "./template.ts";

/** Where a `${{ }}` of a URL stands, which decides how its value is encoded. `start`: before the host, where no value can be encoded. */
export type UrlPlace = "start" | "host" | "segment" | "query";

/** A part of a URL with templates; of an expression the place where it stands. */
export type UrlPart = TemplatePart & { readonly place: UrlPlace };

/** A URL as it will be sent, or why its templates cannot be filled. */
export type FilledUrl = { readonly ok: true; readonly url: string } | { readonly ok: false; readonly what: string };

/** What a URL with templates must look like. */
export const urlTemplateGrammar =
  "an absolute http or https URL; `${{ }}` may stand in its host, a path segment, its query or its fragment";

/** The parts of a URL with templates and where each stands. */
export function splitUrl(
  url: string,
): { readonly ok: true; readonly parts: readonly UrlPart[] } | { readonly ok: false; readonly what: string } {
  const split = splitTemplates(url);
  if (!split.ok) return { ok: false, what: split.message };
  let before = "";
  return {
    ok: true,
    parts: split.parts.map((part) => {
      const placed = { ...part, place: placeBehind(before) };
      before += part.kind === "text" ? part.text : "x";
      return placed;
    }),
  };
}

/** What is wrong with a URL before any value is known; undefined when nothing is. */
export function urlTemplateFault(url: string): string | undefined {
  const split = splitUrl(url);
  if (!split.ok) return split.what;
  const early = split.parts.find((part) => part.kind === "expression" && part.place === "start");
  if (early !== undefined) return "a value cannot be the beginning of a URL";
  const fault = urlPathFault(split.parts.map((part) => (part.kind === "text" ? part.text : "x")).join(""));
  return fault;
}

/**
 * Puts values into a URL, each encoded for its place, so that a value never becomes another segment, another parameter or another host than
 * the document shows.
 */
export function fillUrl(parts: readonly UrlPart[], valueOf: (source: string) => string | { readonly what: string }): FilledUrl {
  let url = "";
  for (const part of parts) {
    if (part.kind === "text") {
      url += part.text;
      continue;
    }
    const value = valueOf(part.source);
    if (typeof value !== "string") return { ok: false, what: value.what };
    const encoded = encodeFor(part.place, value);
    if (encoded === undefined) return { ok: false, what: `\${{ ${part.source} }} ${refusals[part.place]}` };
    url += encoded;
  }
  const fault = emptyValueFault(parts, url) ?? urlPathFault(url);
  return fault === undefined ? { ok: true, url } : { ok: false, what: `the URL is not sent, because ${fault}` };
}

const refusals: Readonly<Record<UrlPlace, string>> = {
  start: "cannot be the beginning of a URL",
  host: "is no host name",
  segment: "is no text that a path segment can hold",
  query: "is no text that a query can hold",
};

function placeBehind(before: string): UrlPlace {
  const behind = /^https?:\/\/(.*)$/isu.exec(before)?.[1];
  if (behind === undefined) return "start";
  if (/[?#]/u.test(behind)) return "query";
  return behind.includes("/") ? "segment" : "host";
}

function encodeFor(place: UrlPlace, value: string): string | undefined {
  if (place === "start") return undefined;
  if (place === "host") return /^[\w.-]*(?::\d{1,5})?$/u.test(value) && value !== "" ? value : undefined;
  return /\p{Surrogate}/u.test(value) ? undefined : encodeURIComponent(value);
}

/** A segment that only values make up must not vanish: the URL would then name the collection in place of the item. */
function emptyValueFault(parts: readonly UrlPart[], url: string): string | undefined {
  if (!parts.some((part) => part.kind === "expression" && part.place === "segment")) return undefined;
  const path = /^https?:\/\/[^/?#]*([^?#]*)/iu.exec(url)?.[1] ?? "";
  const template = parts.map((part) => (part.kind === "text" ? part.text : "x")).join("");
  const shape = /^https?:\/\/[^/?#]*([^?#]*)/iu.exec(template)?.[1] ?? "";
  const isEmpty = path.split("/").some((segment, index) => segment === "" && shape.split("/")[index] !== "");
  return isEmpty ? "a value of its path is empty" : undefined;
}
