import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Content, Endpoint } from "../platform/http/endpoint.ts";

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const files = [
  {
    path: "/a/{id}",
    summary: "The page behind a mailed link; the same for every question, and opening it decides nothing",
    meaning: "HTML",
    type: "text/html",
    file: "answer.html",
  },
  { path: "/a.js", summary: "The script of that page", meaning: "JavaScript", type: "text/javascript", file: "answer.js" },
  { path: "/a.css", summary: "The style of that page", meaning: "CSS", type: "text/css", file: "answer.css" },
] as const;

/**
 * The page behind mailed links, its script and its style; `{id}` is a question's. It is the same for every question, known or not, and for
 * every method that reads: whoever opens the address, person or scanner, learns nothing and decides nothing.
 */
export function createAnswerPage(): readonly Endpoint[] {
  return files.map(({ path, summary, meaning, type, file }) => {
    const content: Content = {
      kind: "content",
      type,
      body: readFileSync(join(import.meta.dirname, "page", file)),
      headers: { "Content-Security-Policy": policy, "X-Robots-Tag": "noindex, nofollow" },
    };
    return {
      method: "get",
      path,
      summary,
      security: [],
      answers: { 200: { description: meaning } },
      problems: [],
      handle: async () => content,
    };
  });
}
