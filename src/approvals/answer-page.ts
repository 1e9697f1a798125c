import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Express, Response } from "express";

/** Where the page is, its script and its style; `:id` is a question's. */
export const pagePaths = ["/a/:id", "/a.js", "/a.css"] as const;

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Serves the page behind mailed links. It is the same for every question, known or not, and for every method that reads: whoever opens the
 * address, person or scanner, learns nothing and decides nothing.
 */
export function mountAnswerPage(app: Express): void {
  const folder = join(import.meta.dirname, "page");
  const files = [
    { path: pagePaths[0], type: "text/html", body: readFileSync(join(folder, "answer.html")) },
    { path: pagePaths[1], type: "text/javascript", body: readFileSync(join(folder, "answer.js")) },
    { path: pagePaths[2], type: "text/css", body: readFileSync(join(folder, "answer.css")) },
  ];
  for (const { path, type, body } of files) {
    app.get(path, function answerPage(_request, response: Response) {
      response.setHeader("Content-Security-Policy", policy);
      response.setHeader("X-Robots-Tag", "noindex, nofollow");
      response.writeHead(200, { "Content-Type": `${type}; charset=utf-8`, "Content-Length": body.length });
      response.end(body);
    });
  }
}
